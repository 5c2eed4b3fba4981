//! HTML elements that more than one part of a page needs.

use maud::{DOCTYPE, Markup, PreEscaped, Render, html};

use crate::svg::Svg;
use crate::text::printable;
use crate::{ClassNames, Fact};

/// Returns a whole HTML file. `head` is further markup for its head.
pub(crate) fn document(title: &str, head: Markup, style: &str, body: Markup) -> String {
    let file = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                (head)
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(style)) }
            }
            body { (body) }
        }
    };
    printable(&file.into_string()) + "\n"
}

/// Returns a section that is labeled by its heading.
pub(crate) fn section(id: &str, title: &str, body: Markup) -> Markup {
    html! {
        section #(id) aria-labelledby={ (id) "-title" } {
            h2 #{ (id) "-title" } { (title) }
            (body)
        }
    }
}

/// Returns the section of settings and environment; empty if both are.
pub(crate) fn records(settings: &[Fact], environment: &[Fact]) -> Markup {
    if settings.is_empty() && environment.is_empty() {
        return Markup::default();
    }
    let parts = html! {
        div.records {
            @for (title, list) in [("Settings", settings), ("Environment", environment)] {
                @if !list.is_empty() {
                    div { h3 { (title) } (facts(list, "record")) }
                }
            }
        }
    };
    section("record", "For the record", parts)
}

/// Returns a list of facts; empty if there are none.
pub(crate) fn facts(facts: &[Fact], class: &str) -> Markup {
    if facts.is_empty() {
        return Markup::default();
    }
    html! { dl class=(class) { @for line in facts { (fact(&line.name, &line.value)) } } }
}

/// Returns one line of a list of facts.
pub(crate) fn fact(name: &str, value: impl Render) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// Returns a figure under its caption.
pub(crate) fn figure(caption: &str, picture: Svg) -> Markup {
    html! { figure { figcaption { (caption) } (picture.inline()) } }
}

/// Returns the key to the colors of classes.
pub(crate) fn legend(classes: &ClassNames) -> Markup {
    html! {
        ul.legend aria-label={ "colors by " (classes.noun) } {
            li.noun { (classes.noun) }
            @for class in 0..classes.len() {
                li { span.{ "swatch c" (class) } {} (classes.name(class as u32)) }
            }
        }
    }
}

/// Returns a box in which a wide table scrolls sideways, also by keyboard.
pub(crate) fn scrolling(label: &str, table: Markup) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label=(label) { (table) } }
}

/// Returns the header cells of columns.
pub(crate) fn column_heads<N: Render>(names: impl IntoIterator<Item = N>) -> Markup {
    html! { @for name in names { th scope="col" { (name) } } }
}
