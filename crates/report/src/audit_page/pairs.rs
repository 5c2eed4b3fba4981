use tellapart_audit::recorded::{AuditedPair, Cause};

use super::{key, map, observed::Gallery, story, value};
use crate::AuditPage;
use crate::page;
use crate::text::{MISSING, escape, grouped, number};
use crate::words::{short_markup, word_markup};

/// The map, the table, and the stories.
pub(super) fn section(page: &AuditPage, map: Option<&map::Drawn>, gallery: &Gallery<'_>) -> String {
    let audit = &page.audit;
    let map = map.map_or(String::new(), |map| map.markup(&audit.pairs, audit.spread));
    if audit.pairs.is_empty() {
        let body = format!("<p class=\"none\">There is no pair to show.</p>\n{map}");
        return page::section("pairs", "The pairs", "", &body);
    }
    let stories: String = (0..audit.pairs.len())
        .map(|index| story::story(page, index, gallery))
        .collect();
    let intro = "Pairs of rows whose latents lie close together, worst first; of pairs that are merged in the \
                 same way, at most three that have no row in common. \
                 <span class=\"needs-script\">Choose one in the table or on the map; \
                 <kbd>\u{2190}</kbd> and <kbd>\u{2192}</kbd> go to the pair before and after. Printing \
                 takes the chosen one along.</span>";
    let body = format!(
        "<div class=\"explorer\">\n{map}<div class=\"list\">\n{}{}</div></div>\n\
         <p id=\"announcer\" class=\"hidden\" role=\"status\"></p>\n<div id=\"stories\">\n{stories}</div>\n",
        filter(page),
        table(page)
    );
    page::section("pairs", "The pairs", intro, &body)
}

fn filter(page: &AuditPage) -> String {
    let pairs = &page.audit.pairs;
    let choice = |value: &str, name: &str, count: usize| {
        let checked = if value == "all" { " checked" } else { "" };
        format!(
            "<label class=\"{value}\"><input type=\"radio\" name=\"cause\" value=\"{value}\"{checked}>\
             <span>{name} {count}</span></label>"
        )
    };
    let mut choices = choice("all", "All", pairs.len());
    for cause in [
        Cause::Encoder,
        Cause::Stray,
        Cause::Observation,
        Cause::Data,
    ] {
        let count = pairs.iter().filter(|pair| pair.cause == cause).count();
        if count > 0 {
            choices += &choice(key(cause), noun(cause), count);
        }
    }
    format!(
        "<fieldset class=\"choice needs-script\"><legend class=\"hidden\">Cause</legend>{choices}</fieldset>\n"
    )
}

/// The cause as it is called in a list.
pub(super) fn noun(cause: Cause) -> &'static str {
    match cause {
        Cause::Encoder => "Encoder",
        Cause::Observation => "Observation",
        Cause::Stray => "Stray row",
        Cause::Data => "Data",
    }
}

fn table(page: &AuditPage) -> String {
    let head = [
        "", "Cause", "Rows", "Witness", "p then", "Distance", "Strain", "Alike",
    ]
    .map(|name| format!("<th scope=\"col\">{name}</th>"))
    .concat()
    .replacen(
        "<th scope=\"col\"></th>",
        "<th scope=\"col\"><span class=\"hidden\">Pair</span></th>",
        1,
    );
    let rows: String = (0..page.audit.pairs.len())
        .map(|index| row(page, index))
        .collect();
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"Table of pairs\" tabindex=\"0\">\
         <table id=\"table\">\n<caption class=\"hidden\">Pairs of rows, worst first. Distance in units \
         of the spread; Alike: how many pairs are merged in the same way</caption>\n\
         <thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

fn row(page: &AuditPage, index: usize) -> String {
    let pair = &page.audit.pairs[index];
    let number_of_pair = index + 1;
    let witness = match pair.witness.as_deref() {
        None => MISSING.to_owned(),
        Some([]) => word_markup(&page.audit.actions, Some(&[])),
        Some(word) => short_markup(&page.audit.actions, word),
    };
    let outcome = match (pair.p_i.last(), pair.p_j.last()) {
        (Some(a), Some(b)) if pair.witness.is_some() => {
            format!("{} \u{2260} {}", escape(&value(a)), escape(&value(b)))
        }
        _ => MISSING.to_owned(),
    };
    let alike = pair
        .kind
        .and_then(|kind| page.audit.counts.kinds.get(kind))
        .map_or(MISSING.to_owned(), |kind| grouped(kind.pairs));
    format!(
        "<tr class=\"{}\"><th scope=\"row\"><a href=\"#pair={number_of_pair}\">{number_of_pair}</a></th>\
         <td><span class=\"cause\">{}</span></td><td class=\"number\">{} \u{b7} {}</td><td class=\"word\">{witness}</td>\
         <td class=\"number\">{outcome}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
         <td class=\"number\">{alike}</td></tr>\n",
        key(pair.cause),
        noun(pair.cause),
        pair.i,
        pair.j,
        number(pair.distance),
        strain(pair),
    )
}

/// The strain, which may be infinite.
pub(super) fn strain(pair: &AuditedPair) -> String {
    if pair.strain_is_infinite {
        "\u{221e}".to_owned()
    } else {
        number(pair.strain)
    }
}
