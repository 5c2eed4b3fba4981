//! Markup, looked at without a browser.

/// Every `<tag` in order, attributes cut off.
fn tags(html: &str) -> Vec<&str> {
    html.match_indices('<')
        .map(|(at, _)| {
            let rest = &html[at + 1..];
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '/' || c == '!'));
            rest[..end.unwrap_or(rest.len())].trim_end_matches('/')
        })
        .collect()
}

/// Every element that is opened is closed, in order.
pub(crate) fn assert_balanced(html: &str) {
    const VOID: [&str; 9] = [
        "!DOCTYPE", "meta", "circle", "path", "rect", "image", "use", "input", "br",
    ];
    let mut open = Vec::new();
    for tag in tags(html) {
        if VOID.contains(&tag) {
            continue;
        }
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "inside {open:?}"),
            None => open.push(tag),
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

/// The titles of the sections, in order.
pub(crate) fn headings(html: &str) -> Vec<&str> {
    html.split("<h2 ")
        .skip(1)
        .map(|rest| rest.split(['>', '<']).nth(1).unwrap())
        .collect()
}
