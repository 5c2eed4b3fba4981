//! Tests of the page of an audit as text: what it says, and what it must never contain.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

mod hostile_audit;
mod made_up_audit;
mod markup;

use hostile_audit::{HOSTILE, hostile};
use markup::{assert_balanced, headings};
use tellapart_audit::recorded::{Cause, Verdict};
use tellapart_report::{
    AuditPage, Observed, Picture, PointColors, ReportError, ShownRow, render_audit_html,
};

fn render(change: impl FnOnce(&mut AuditPage)) -> String {
    let mut page = made_up_audit::page().unwrap();
    change(&mut page);
    let html = render_audit_html(&page).unwrap();
    assert_balanced(without_scripts(&html).as_str());
    html
}

/// Returns the markup alone, since a script may contain anything but its own end.
fn without_scripts(html: &str) -> String {
    let mut out = String::new();
    for (index, part) in html.split("</script>").enumerate() {
        let end = part.find("<script").unwrap_or(part.len());
        assert!(index < 3, "more than two scripts");
        out += &part[..end];
    }
    out
}

/// Returns the story of a pair; pairs count from 1.
fn story(html: &str, pair: usize) -> &str {
    let (_, rest) = html.split_once(&format!("id=\"pair={pair}\"")).unwrap();
    rest.split_once("</article>").unwrap().0
}

#[test]
fn the_verdict_comes_first_with_the_counts_and_the_search() {
    let html = render(|_| ());
    let header = html.split("<main>").next().unwrap();
    for text in [
        "The encoder merged 666 pairs of observations that the data tells apart",
        "666 pairs of 5 kinds",
        "23 pairs of 1 kind",
        "4 pairs of 1 kind; rows: ",
        "340 pairs",
        "The search for candidates was exact",
        "Equal observations were given different latents",
    ] {
        assert!(header.contains(text), "{text}");
    }
    assert_eq!(
        headings(&html),
        [
            "The pairs",
            "Common diagnostics",
            "Healthy collapse",
            "What is provably apart",
            "Coverage of the recording",
            "For the record",
        ]
    );
    let approximate = render(|page| {
        page.audit.search.method = "approximate".into();
        page.audit.search.recall = 0.987;
        page.audit.verdict = Verdict::Healthy;
        page.audit.counts.encoder = 0;
        page.audit.counts.outlier_rows = 0;
    });
    let header = approximate.split("<main>").next().unwrap();
    assert!(header.contains("The encoder merged nothing that the data tells apart"));
    assert!(header.contains("98.7\u{202f}%") && header.contains("may have been missed"));
    let outliers = render(|page| page.audit.verdict = Verdict::Healthy);
    assert!(outliers.contains("keeps apart what the data tells apart, except for outliers"));
    let undecided = render(|page| page.audit.verdict = Verdict::Undecided);
    assert!(undecided.contains("Too little of the data can be compared"));
}

#[test]
fn every_pair_has_a_row_a_link_and_a_story() {
    let page = made_up_audit::page().unwrap();
    let html = render(|_| ());
    let pairs = page.audit.pairs.len();
    for pair in 1..=pairs {
        assert_eq!(html.matches(&format!("href=\"#pair={pair}\"")).count(), 1);
        assert_eq!(html.matches(&format!("id=\"pair={pair}\"")).count(), 1);
        assert_eq!(html.matches(&format!("data-pair=\"{pair}\"")).count(), 1);
    }
    // Both rows, all rows along the witness, the outcome and the limit.
    let second = story(&html, 2);
    let pair = &page.audit.pairs[1];
    for row in pair.trace_i.iter().chain(&pair.trace_j) {
        assert!(second.contains(&format!("row {row}")), "{row}");
    }
    assert_eq!(second.matches("<use href=").count(), 2 + 6);
    for text in [
        "threw the difference away",
        "stretch that 476-fold, where 10 is the limit",
        "188 pairs of the same kind",
        "episode 142, step 0",
    ] {
        assert!(second.contains(text), "{text}");
    }
    assert!(
        story(&html, 1).contains("their latents are equal") && story(&html, 1).contains('\u{221e}')
    );
    let kept = story(&html, 5);
    assert!(kept.contains("kept apart") && kept.contains("at least 0.180 apart, 0.630 in fact"));
    let outlier = story(&html, 6);
    let row = page.audit.pairs[5].j;
    assert!(
        outlier.contains(&format!("Row {row} is an outlier")),
        "{outlier}"
    );
    let unseen = story(&html, 7);
    assert!(
        unseen.contains("The observation cannot tell")
            && unseen.contains("none: they are identical")
    );
    let open = story(&html, 8);
    assert!(open.contains("The data does not say") && open.contains("What would settle it"));
    assert!(open.contains("<kbd>add</kbd>\u{d7}2 from row"));
    assert!(!open.contains("Required Lipschitz") && !open.contains("class=\"trace\""));
}

#[test]
fn a_picture_is_stored_once() {
    let html = render(|_| ());
    let stored = html.matches("data:image/png;base64,").count();
    assert_eq!(stored, html.matches("<symbol").count());
    let page = made_up_audit::page().unwrap();
    // Both rows of the pair of cause `Observation` show one picture, and so do all counts of zero.
    assert!(stored < page.rows.len());
    let used = html.matches("href=\"#seen-").count();
    assert!(used > stored, "{used} {stored}");
}

#[test]
fn observations_that_are_no_pictures_are_values() {
    let html = render(|page| {
        for row in &mut page.rows {
            let at = row.row as f64;
            let values = (0..40).map(|k| if k == 7 { at } else { 0.5 }).collect();
            row.observed = Observed::Values(values);
        }
    });
    assert!(!html.contains("data:image"));
    let second = story(&html, 2);
    assert!(second.contains("1 of 40 values") && second.contains("28 more are not shown"));
    let first = second.split("<tr class=\"").nth(1).unwrap();
    assert!(
        first.starts_with("differs\"><th scope=\"row\">7</th><td>708</td><td>711</td>"),
        "{first}"
    );
    // Rows without an observation are shown by their number.
    let bare = render(|page| page.rows.clear());
    assert!(
        story(&bare, 2).contains("row 708") && !story(&bare, 2).contains("Observations differ in")
    );
}

#[test]
fn the_page_refers_to_nothing_outside_itself() {
    let html = render(|_| ());
    let markup = without_scripts(&html).replace("<meta http-equiv=", "");
    for word in ["http", "src=", "<link", "@import", "//cdn", "url("] {
        assert!(!markup.contains(word), "{word}");
    }
    for part in markup.split("href=\"").skip(1) {
        assert!(part.starts_with('#') || part.starts_with("data:image/png;base64,"));
    }
    assert!(html.contains("default-src 'none'"));
    let script = html.rsplit("<script>").next().unwrap();
    for word in ["http", "fetch", "import", "eval(", "innerHTML"] {
        assert!(!script.contains(word), "{word}");
    }
}

#[test]
fn hostile_text_stays_text() {
    let html = render_audit_html(&hostile(made_up_audit::page().unwrap())).unwrap();
    let markup = without_scripts(&html);
    assert_balanced(&markup);
    assert!(!markup.contains("<img") && !markup.contains("<script") && !markup.contains("<!--"));
    assert!(!html.contains(HOSTILE));
    assert_eq!(html.matches("<script").count(), 2);
}

#[test]
fn odd_numbers_never_reach_the_page() {
    let html = render(|page| {
        let odd = [f64::NAN, f64::INFINITY, -f64::INFINITY];
        assert!(page.audit.pairs.len() >= odd.len());
        let pairs = page.audit.pairs.iter_mut();
        for (pair, value) in pairs.zip(odd.into_iter().cycle()) {
            pair.distance = value;
            pair.required_lipschitz = Some(value);
            for p in pair.p_i.iter_mut().flatten() {
                *p = value;
            }
        }
        page.audit.spread = 0.0;
        page.audit.diagnostics.rankme = None;
        page.audit.diagnostics.mean_distance = f64::NAN;
        page.audit.diagnostics.singular_values.clear();
        let points = page.map.as_ref().unwrap().rows.len();
        page.colors = Some(PointColors::Values {
            name: "p".into(),
            of_point: odd.into_iter().cycle().take(points).collect(),
        });
    });
    for word in ["NaN", "inf<", ">inf", "\"inf", "null]"] {
        assert!(!html.contains(word), "{word}");
    }
}

#[test]
fn numbers_become_few_colors() {
    let points = made_up_audit::page().unwrap().map.unwrap().rows.len();
    let keys = |of_point: Vec<f64>| {
        let html = render(|page| {
            page.colors = Some(PointColors::Values {
                name: "rewards".into(),
                of_point,
            });
        });
        let legend = html
            .split_once("aria-label=\"colors by rewards\"")
            .unwrap()
            .1;
        legend
            .split_once("</ul>")
            .unwrap()
            .0
            .matches("class=\"swatch")
            .count()
    };
    assert_eq!(keys((0..points).map(|k| (k % 2) as f64).collect()), 2);
    assert_eq!(keys((0..points).map(|k| k as f64).collect()), 9);
    assert_eq!(keys(vec![3.0; points]), 1);
}

#[test]
fn parts_may_be_missing() {
    let html = render(|page| {
        page.map = None;
        page.colors = None;
        page.audit.healthy = None;
        page.audit.certificate = None;
        page.audit.contradictions.clear();
        page.settings.clear();
        page.environment.clear();
    });
    assert!(!html.contains("<figure class=\"map\"") && html.contains("does not contradict itself"));
    assert!(!html.contains("Healthy collapse") && !html.contains("provably"));
    let html = render(|page| page.audit.pairs.clear());
    assert!(html.contains("There is no pair to show.") && !html.contains("<article"));
}

#[test]
fn the_same_page_is_the_same_bytes() {
    assert_eq!(render(|_| ()), render(|_| ()));
}

#[test]
fn contradicting_records_are_errors() {
    type Change = fn(&mut AuditPage);
    let changes: [(&str, Change); 7] = [
        ("trace", |page| {
            page.audit.pairs[0].trace_i.pop();
        }),
        ("trace", |page| {
            page.audit.pairs[0].trace_j.pop();
        }),
        ("p along", |page| page.audit.pairs[0].p_j.push(vec![0.0])),
        ("value of p", |page| page.audit.pairs[0].p_i[0].push(0.0)),
        ("neighbors", |page| {
            page.map.as_mut().unwrap().neighbors.pop();
        }),
        ("not finite", |page| {
            page.map.as_mut().unwrap().pca[3][1] = f64::NAN
        }),
        ("colors", |page| {
            page.colors = Some(PointColors::Values {
                name: "p".into(),
                of_point: vec![0.0],
            });
        }),
    ];
    for (word, change) in changes {
        let mut page = made_up_audit::page().unwrap();
        change(&mut page);
        let error = render_audit_html(&page).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    assert!(matches!(
        Picture::new([2, 2], vec![0; 11]),
        Err(ReportError::Shape { .. })
    ));
    assert!(matches!(
        Picture::new([0, 2], vec![]),
        Err(ReportError::Size { .. })
    ));
    let page = made_up_audit::page().unwrap();
    assert!(
        page.audit
            .pairs
            .iter()
            .any(|pair| pair.cause == Cause::Data)
    );
    let ShownRow { observed, .. } = &page.rows[0];
    assert!(matches!(observed, Observed::Picture(_)));
}
