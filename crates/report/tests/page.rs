//! Tests of the page that compares runs: what it contains, and what it must never contain.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

mod made_up;
mod markup;

use markup::{assert_balanced, headings};
use tellapart_report::{
    Cell, Chart, ClassNames, Page, Point, Reconstructions, ReportError, Scale, Scatter, Series,
    figures, render_html,
};

#[test]
fn the_page_has_every_section_once_and_in_order() {
    let html = render_html(&made_up::page().unwrap()).unwrap();
    assert_balanced(&html);
    assert_eq!(
        headings(&html),
        [
            "Findings",
            "Side by side",
            "Every seed",
            "Without the truth",
            "Latents",
            "Distances",
            "Merged pairs and their witnesses",
            "What is provably apart",
            "Reconstructions",
            "Curves",
            "For the record",
        ]
    );
    let count = |what: &str| html.matches(what).count();
    assert_eq!(count("<h1>"), 1);
    // Scatter, matrix, pictures and losses of each of four runs, and one chart of all runs.
    assert_eq!(count("<figure>"), 17);
    assert_eq!(count("<figcaption>"), 17);
    assert_eq!(count("role=\"img\" aria-label="), 17);
    assert_eq!(count("<table"), count("<caption"));
    assert_eq!(count("<circle"), 4 * 700);
    assert!(html.contains("<kbd>remove</kbd>") && html.contains("differ at once"));
}

#[test]
fn the_page_refers_to_nothing_outside_itself() {
    let page = made_up::page().unwrap();
    let html = render_html(&page).unwrap();
    // The bytes of pictures may spell any word.
    let html: String = html
        .split("base64,")
        .map(|part| part.find('"').map_or(part, |end| &part[end..]))
        .collect::<Vec<_>>()
        .join("base64,");
    for word in ["http", "src=", "<script", "<link", "@import", "//cdn"] {
        assert!(!html.contains(word), "{word}");
    }
    assert_eq!(html.matches("url(").count(), 0);
    assert_eq!(
        html.matches("href=").count(),
        html.matches("href=\"data:image/png;base64,\"").count()
    );
    let file = figures::scatter(page.runs[0].scatter.as_ref().unwrap(), &page.classes);
    assert_eq!(
        file.matches("http").count(),
        file.matches("xmlns=\"http").count()
    );
}

#[test]
fn hostile_text_stays_text() {
    const HOSTILE: &str = "<script>alert('1')</script>\"><b onclick=x>&amp;\u{0}\u{1b}";
    let mut page = made_up::page().unwrap();
    page.title = HOSTILE.into();
    page.lead = HOSTILE.into();
    page.classes.noun = HOSTILE.into();
    page.classes.names.fill(HOSTILE.into());
    page.actions.fill(HOSTILE.into());
    for fact in page
        .facts
        .iter_mut()
        .chain(&mut page.settings)
        .chain(&mut page.environment)
    {
        fact.name = HOSTILE.into();
        fact.value = HOSTILE.into();
    }
    let seeds = page.seeds.as_mut().unwrap();
    seeds.caption = HOSTILE.into();
    seeds.columns[0] = HOSTILE.into();
    seeds.rows[0][0] = Cell::Text(HOSTILE.into());
    for run in &mut page.runs {
        run.name = HOSTILE.into();
        run.description = HOSTILE.into();
        run.finding = HOSTILE.into();
        run.metrics[0].name = HOSTILE.into();
        run.audit.probes[0].target = HOSTILE.into();
        run.charts[0].title = HOSTILE.into();
        run.charts[0].x_label = HOSTILE.into();
        run.charts[0].series[0].name = HOSTILE.into();
    }
    let html = render_html(&page).unwrap();
    assert_balanced(&html);
    let figure = figures::curves(&page.runs[0].charts[0]);
    for text in [html, figure] {
        // Attributes are in double quotes, which no text can close.
        assert!(text.contains("&lt;/script&gt;&quot;&gt;&lt;b onclick=x&gt;&amp;amp;"));
        assert!(!text.contains("<script") && !text.contains("<b onclick") && !text.contains("='"));
        assert!(!text.contains(['\u{0}', '\u{1b}']), "control characters");
    }
}

#[test]
fn a_page_without_runs_and_runs_without_figures_still_render() {
    let mut page = made_up::page().unwrap();
    for run in &mut page.runs {
        run.scatter = None;
        run.distances = None;
        run.reconstructions = None;
        run.charts.clear();
        run.audit.certificate = None;
        run.audit.open_loop = None;
        run.audit.clusters.silhouette = None;
    }
    page.runs[0].audit.spectrum.rankme = None;
    page.runs[1].metrics[0].value = Some(f64::NAN);
    let html = render_html(&page).unwrap();
    assert_balanced(&html);
    assert!(html.contains("<td>\u{2013}</td>"));
    assert!(!html.contains("NaN") && !html.contains("Silhouette"));

    let empty = Page {
        title: "Nothing".into(),
        lead: String::new(),
        facts: vec![],
        classes: ClassNames {
            noun: "class".into(),
            names: vec![],
        },
        actions: vec![],
        runs: vec![],
        seeds: None,
        without_truth: None,
        charts: vec![],
        settings: vec![],
        environment: vec![],
    };
    let html = render_html(&empty).unwrap();
    assert_balanced(&html);
    assert!(!html.contains("<section"));
}

#[test]
fn without_declared_constants_no_size_is_shown() {
    let mut page = made_up::page().unwrap();
    assert!(!render_html(&page).unwrap().contains('\u{2713}'));
    page.runs.truncate(1);
    let audit = &mut page.runs[0].audit;
    let certificate = audit.certificate.as_mut().unwrap();
    assert!(certificate.certified > 0);
    certificate.declared = false;
    (certificate.soundness, certificate.split) = (None, None);
    for pair in &mut certificate.pairs {
        pair.bound = None;
    }
    let certified = certificate.certified;
    let finding = audit.summary();
    assert!(
        finding.contains("no Lipschitz constants") && !finding.contains("BUT"),
        "{finding}"
    );
    let html = render_html(&page).unwrap();
    assert_balanced(&html);
    assert_eq!(html.matches(">\u{2713}</td>").count(), certified);
    assert!(html.contains("No Lipschitz constants are declared"));
    assert!(!html.contains("breaks its bound") && !html.contains("break their bound"));
}

#[test]
fn the_same_page_is_the_same_bytes() {
    let render = || render_html(&made_up::page().unwrap()).unwrap();
    assert_eq!(render(), render());
}

#[test]
fn contradicting_records_are_errors() {
    let wrong = Reconstructions::new([2, 2], vec!["a".into()], vec![0; 12], vec![0; 11]);
    assert!(matches!(
        wrong,
        Err(ReportError::Shape {
            found: 11,
            expected: 12,
            ..
        })
    ));
    let none = Reconstructions::new([2, 2], vec![], vec![], vec![]).unwrap();
    assert!(matches!(
        figures::reconstructions(&none, 2),
        Err(ReportError::Size { .. })
    ));

    let mut page = made_up::page().unwrap();
    let distances = page.runs[0].distances.as_mut().unwrap();
    distances.distances.pop();
    assert!(figures::distance_matrix(distances).is_err());
    assert!(render_html(&page).is_err());
}

#[test]
fn pictures_are_enlarged_without_smoothing() {
    let pairs =
        Reconstructions::new([1, 2], vec!["a".into()], vec![9, 8, 7, 1, 2, 3], vec![0; 6]).unwrap();
    let bytes = figures::reconstructions(&pairs, 2).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    // Two pictures of two by one pixels, one above the other with a gap of three, enlarged by two.
    assert_eq!((info.width, info.height), (4, 10));
    let line: Vec<&[u8]> = pixels[..16].chunks(4).collect();
    assert_eq!(
        line,
        [
            &[9, 8, 7, 255],
            &[9, 8, 7, 255],
            &[1, 2, 3, 255],
            &[1, 2, 3, 255]
        ]
    );
    assert_eq!(pixels[16 * 2 + 3], 0, "the gap is transparent");
}

#[test]
fn odd_values_never_reach_the_markup() {
    let odd = [f64::NAN, f64::INFINITY, 0.0, -1.0, 1e300, 1e-300, 5.0];
    for scale in [Scale::Linear, Scale::Logarithmic] {
        for points in [
            vec![],
            vec![(0.0, f64::NAN)],
            vec![(1.0, 2.0)],
            vec![(1.0, 0.0), (1.0, 0.0)],
            odd.iter().map(|&v| (v, v)).collect(),
        ] {
            let svg = figures::curves(&Chart {
                title: "t".into(),
                x_label: "x".into(),
                scale,
                series: vec![Series {
                    name: "s".into(),
                    points,
                }],
            });
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert!(svg.len() < 20_000);
        }
    }
    let classes = ClassNames {
        noun: "class".into(),
        names: vec!["a".into()],
    };
    for points in [
        vec![],
        vec![(2.0, 2.0); 3],
        odd.iter().map(|&v| (v, -v)).collect(),
    ] {
        let points = points
            .into_iter()
            .map(|(x, y)| Point { x, y, class: 7 })
            .collect();
        let svg = figures::scatter(
            &Scatter {
                points,
                explained_share: [None, None],
            },
            &classes,
        );
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
