//! Tests of the page of an audit in a real browser, by mouse and by keyboard, opened from disk
//! without a network. Screenshots are kept in `audit-page` in the temporary folder of the target.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic fails the test, as it should"
)]

mod chromium;
mod hostile_audit;
mod made_up_audit;

use std::io::Write;
use std::path::{Path, PathBuf};

use chromium::Tab;
use hostile_audit::{HOSTILE, hostile};
use serde_json::json;
use tellapart_report::{AuditPage, render_audit_html};

/// Number of pairs in the made-up audit.
const PAIRS: usize = 9;
/// Number of pairs of cause `Encoder`.
const BY_ENCODER: usize = 5;

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("audit-page");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn write(page: &AuditPage, name: &str) -> PathBuf {
    let file = folder().join(name);
    std::fs::write(&file, render_audit_html(page).unwrap()).unwrap();
    file
}

/// Opens a browser, or writes a notice directly to stderr, where the test harness does not capture
/// it.
fn browser(test: &str) -> Option<Tab> {
    let Some(program) = chromium::find() else {
        let notice = format!("\nSKIPPED {test}: no Chromium in PATH\n");
        std::io::stderr().write_all(notice.as_bytes()).unwrap();
        return None;
    };
    let mut tab = Tab::open(&program);
    tab.resize(1280, 900, false);
    tab.show_as("screen", "light");
    Some(tab)
}

/// Asserts that exactly this pair is shown, marked in the table and named by the address.
fn assert_shown(tab: &mut Tab, pair: usize) {
    tab.wait_for(&format!("location.hash === '#pair={pair}'"));
    assert_selected(tab, pair);
}

fn assert_selected(tab: &mut Tab, pair: usize) {
    tab.wait_for(&format!(
        "document.querySelector('.story.selected')?.id === 'pair={pair}'"
    ));
    let shown = tab.eval(
        "[...document.querySelectorAll('.story')].filter((s) => s.checkVisibility()).map((s) => s.id)",
    );
    assert_eq!(shown, json!([format!("pair={pair}")]));
    let marked = tab.eval("[...document.querySelectorAll('tr.selected a')].map((a) => a.hash)");
    assert_eq!(marked, json!([format!("#pair={pair}")]));
    let current = tab.eval("[...document.querySelectorAll('[aria-current]')].map((a) => a.hash)");
    assert_eq!(current, marked);
    let said = tab.eval("document.getElementById('announcer').textContent");
    assert!(
        said.as_str()
            .unwrap()
            .starts_with(&format!("Pair {pair}: rows ")),
        "{said}"
    );
    // The map marks both ends of the pair.
    let ends = tab.eval(
        "[...document.querySelectorAll('#chosen circle')].map((c) => [c.cx.baseVal.value, c.cy.baseVal.value])",
    );
    let link = tab.eval(&format!(
        "[...document.querySelectorAll('#links [data-pair=\"{pair}\"] circle')].map((c) => [c.cx.baseVal.value, c.cy.baseVal.value])"
    ));
    assert_eq!(ends, link);
}

fn assert_no_complaints(tab: &Tab) {
    assert!(tab.complaints.is_empty(), "{:#?}", tab.complaints);
    for address in &tab.requests {
        assert!(
            ["file:", "data:", "about:"]
                .iter()
                .any(|scheme| address.starts_with(scheme)),
            "the page asked for {address}"
        );
    }
}

/// Returns an expression for the middle of an element in the window, scrolled into view.
fn middle(selector: &str) -> String {
    format!(
        "(() => {{ const e = document.querySelector({selector:?}); e.scrollIntoView({{block: 'center'}}); \
         const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }})()"
    )
}

#[test]
fn pairs_are_chosen_by_mouse_in_the_table_and_on_the_map() {
    let Some(mut tab) = browser("choosing by mouse") else {
        return;
    };
    tab.go_to(&write(&made_up_audit::page().unwrap(), "mouse.html"), "");
    assert_selected(&mut tab, 1);
    assert!(
        tab.eval("document.querySelectorAll('.story.selected .seen').length")
            .as_u64()
            > Some(2)
    );

    tab.click(&middle("#table tbody tr:nth-child(3) .cause"));
    assert_shown(&mut tab, 3);
    tab.click(&middle("a[href='#pair=6']"));
    assert_shown(&mut tab, 6);

    // On the map pairs 5 and 3 lie alone. A click far from all pairs does nothing.
    tab.click(&middle("#links [data-pair='5'] circle"));
    assert_shown(&mut tab, 5);
    tab.click(&middle("#links [data-pair='3'] circle"));
    assert_shown(&mut tab, 3);
    tab.click("(() => { const b = document.querySelector('.map svg').getBoundingClientRect(); return [b.right - 9, b.bottom - 9]; })()");
    assert_shown(&mut tab, 3);

    // Points move to the other map, and the pairs and the mark with them.
    let places = "[...document.querySelectorAll('#points circle')].map((c) => [c.cx.baseVal.value, c.cy.baseVal.value])";
    let data = "JSON.parse(document.getElementById('audit-data').textContent).maps";
    let near = |tab: &mut Tab, map: &str| {
        tab.eval(&format!(
            "{places}.every(([x, y], k) => Math.hypot(x - {data}.{map}[k][0], y - {data}.{map}[k][1]) < 0.01)"
        ))
    };
    assert_eq!(near(&mut tab, "components"), json!(true));
    tab.click(&middle("input[value=neighbors]"));
    assert_eq!(near(&mut tab, "neighbors"), json!(true));
    assert_eq!(near(&mut tab, "components"), json!(false));
    assert_selected(&mut tab, 3);
    tab.click(&middle("#links [data-pair='5'] circle"));
    assert_shown(&mut tab, 5);

    // Each further click on one spot chooses the next pair there.
    tab.click(&middle("input[value=components]"));
    tab.click(&middle("#links [data-pair='1'] circle"));
    let first = tab.eval("location.hash");
    tab.click(&middle("#links [data-pair='1'] circle"));
    assert_ne!(tab.eval("location.hash"), first);
    assert_no_complaints(&tab);
}

#[test]
fn the_keyboard_alone_is_enough() {
    let Some(mut tab) = browser("the keyboard") else {
        return;
    };
    tab.go_to(&write(&made_up_audit::page().unwrap(), "keyboard.html"), "");
    // Every stop has a visible focus: first the choice of the map, then causes, then the table.
    let mut stops = Vec::new();
    for _ in 0..7 {
        tab.press("Tab");
        let stop = tab.eval(
            "(() => { const e = document.activeElement; const v = e.matches('input') ? e.nextElementSibling : e; \
             return [e.name || e.getAttribute('aria-label') || e.hash || e.tagName, getComputedStyle(v).outlineStyle]; })()",
        );
        if stop[0] != "BODY" {
            assert_eq!(stop[1], "solid", "no visible focus on {}", stop[0]);
        }
        stops.push(stop[0].as_str().unwrap().to_owned());
    }
    assert_eq!(
        stops[..5],
        [
            "map",
            "cause",
            "Table of pairs",
            "#pair=1",
            "Witness of pair 1, step by step"
        ]
    );

    tab.press("ArrowRight");
    assert_shown(&mut tab, 2);
    tab.press("ArrowRight");
    tab.press("ArrowLeft");
    tab.press("ArrowLeft");
    assert_shown(&mut tab, 1);
    tab.press("ArrowLeft");
    assert_shown(&mut tab, 1);

    tab.eval("document.querySelector('#table a').focus()");
    tab.press("ArrowDown");
    assert_shown(&mut tab, 2);
    assert_eq!(tab.eval("document.activeElement.hash"), "#pair=2");
    tab.press("End");
    assert_shown(&mut tab, PAIRS);
    tab.press("ArrowDown");
    assert_shown(&mut tab, PAIRS);
    tab.press("Home");
    assert_shown(&mut tab, 1);

    // The filter goes through encoder, outlier, observation and data; the choice follows.
    let listed = "[...document.querySelectorAll('#table tbody tr')].filter((r) => r.checkVisibility()).length";
    let linked = "[...document.querySelectorAll('#links > g')].filter((g) => getComputedStyle(g).display !== 'none').length";
    tab.eval("document.querySelector('input[name=cause]').focus()");
    tab.press("ArrowRight");
    assert_eq!(tab.eval(listed), json!(BY_ENCODER));
    assert_eq!(tab.eval(linked), json!(BY_ENCODER));
    assert_shown(&mut tab, 1);
    for outlier_then_observation in [6, 7] {
        tab.press("ArrowRight");
        assert_eq!(tab.eval(listed), json!(1));
        assert_shown(&mut tab, outlier_then_observation);
    }
    tab.press("ArrowRight");
    assert_shown(&mut tab, 8);
    let settling = tab.eval("document.querySelector('.story.selected .settling').innerText");
    assert!(
        settling.as_str().unwrap().contains("add\u{d7}2 from row "),
        "{settling}"
    );
    assert_no_complaints(&tab);
}

#[test]
fn an_address_names_a_pair_and_scripts_are_not_needed_to_read() {
    let Some(mut tab) = browser("addresses") else {
        return;
    };
    let file = write(&made_up_audit::page().unwrap(), "address.html");
    tab.go_to(&file, "pair=6");
    assert_shown(&mut tab, 6);
    let top = tab.eval("document.querySelector('.story.selected').getBoundingClientRect().top");
    assert!((0.0..800.0).contains(&top.as_f64().unwrap()), "{top}");
    for nonsense in ["pair=0", "pair=99", "pair=x", "<b>", "%"] {
        tab.go_to(&file, nonsense);
        assert_selected(&mut tab, 1);
    }
    tab.click(&middle("a[href='#pair=2']"));
    assert_shown(&mut tab, 2);
    tab.eval("history.back()");
    tab.wait_for("location.hash === '#%'");
    assert_selected(&mut tab, 1);

    tab.call(
        "Emulation.setScriptExecutionDisabled",
        json!({"value": true}),
    );
    tab.go_to(&file, "");
    let visible = |selector: &str| {
        format!(
            "[...document.querySelectorAll({selector:?})].filter((s) => s.checkVisibility()).length"
        )
    };
    assert_eq!(tab.eval(&visible(".story")), json!(PAIRS));
    assert_eq!(tab.eval(&visible("#table tbody tr")), json!(PAIRS));
    assert_eq!(tab.eval(&visible(".choice, .needs-script")), json!(0));
    assert_eq!(
        tab.eval("getComputedStyle(document.getElementById('chosen')).display"),
        "none"
    );
    assert_no_complaints(&tab);
}

/// Returns a page whose second pair has a long witness.
fn long_witness() -> AuditPage {
    let mut page = made_up_audit::page().unwrap();
    let pair = &mut page.audit.pairs[1];
    pair.witness.as_mut().unwrap().extend([1, 0].repeat(20));
    for trace in [&mut pair.trace_i, &mut pair.trace_j] {
        trace.extend([trace[0]; 40]);
    }
    for p in [&mut pair.p_i, &mut pair.p_j] {
        p.extend(vec![vec![0.0]; 40]);
    }
    page
}

#[test]
fn it_fits_light_and_dark_screens_phones_and_paper() {
    let Some(mut tab) = browser("screens and paper") else {
        return;
    };
    let file = write(&made_up_audit::page().unwrap(), "looks.html");
    let brightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((s, c) => s + Number(c), 0)";
    let too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    tab.go_to(&file, "pair=2");
    assert!(tab.eval(brightness).as_u64() > Some(700));
    assert_eq!(tab.eval(too_wide), json!(0));
    tab.screenshot(&folder().join("light.png"));
    tab.show_as("screen", "dark");
    assert!(tab.eval(brightness).as_u64() < Some(150));
    tab.screenshot(&folder().join("dark.png"));
    tab.resize(360, 740, true);
    assert_eq!(tab.eval(too_wide), json!(0));
    tab.screenshot(&folder().join("phone.png"));
    tab.go_to(&write(&long_witness(), "long.html"), "pair=2");
    assert_eq!(tab.eval(too_wide), json!(0));
    tab.go_to(&file, "pair=2");
    // The width of A4 paper within margins of 14 mm.
    tab.resize(688, 1000, false);
    tab.show_as("print", "dark");
    assert_eq!(tab.eval(too_wide), json!(0));
    assert_eq!(
        tab.eval("[...document.querySelectorAll('.list .scroll, .story.selected .scroll')].map((s) => Math.max(0, s.scrollWidth - s.clientWidth))"),
        json!([0, 0]),
        "paper does not scroll"
    );
    assert!(tab.eval(brightness).as_u64() > Some(700), "paper is white");
    assert_eq!(
        tab.eval("[...document.querySelectorAll('.choice, .story')].filter((s) => s.checkVisibility()).map((s) => s.id)"),
        json!(["pair=2"])
    );
    tab.screenshot(&folder().join("print.png"));
    assert_no_complaints(&tab);
}

#[test]
fn hostile_names_stay_text() {
    let Some(mut tab) = browser("hostile names") else {
        return;
    };
    tab.go_to(
        &write(&hostile(made_up_audit::page().unwrap()), "hostile.html"),
        "",
    );
    assert_selected(&mut tab, 1);
    assert_eq!(
        tab.eval("[document.title, document.querySelectorAll('script').length, typeof marked]"),
        json!([HOSTILE, 2, "undefined"])
    );
    let key = tab.eval("document.querySelector('.story.selected kbd').textContent");
    assert_eq!(key, HOSTILE);
    assert_no_complaints(&tab);
}

#[test]
fn a_page_without_pairs_or_map_has_a_quiet_script() {
    let Some(mut tab) = browser("empty pages") else {
        return;
    };
    let mut page = made_up_audit::page().unwrap();
    page.map = None;
    page.colors = None;
    tab.go_to(&write(&page, "no-map.html"), "pair=2");
    tab.press("ArrowRight");
    tab.wait_for("document.querySelector('.story.selected').id === 'pair=3'");
    let mut page = made_up_audit::page().unwrap();
    page.audit.pairs.clear();
    tab.go_to(&write(&page, "no-pairs.html"), "pair=2");
    tab.press("ArrowRight");
    tab.click(&middle("input[value=neighbors]"));
    tab.click(&middle(".map svg"));
    assert_no_complaints(&tab);
}
