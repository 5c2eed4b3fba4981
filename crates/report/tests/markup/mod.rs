//! Checks of markup without a browser.

/// Asserts that every element that is opened is closed, in order.
pub(crate) fn assert_balanced(html: &str) {
    const VOID: [&str; 4] = ["!DOCTYPE", "meta", "input", "br"];
    let mut open = Vec::new();
    // Attributes contain no `>`: it is escaped there.
    for tag in html.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or(tag);
        let name = tag.split_whitespace().next().unwrap_or(tag);
        if VOID.contains(&name) || tag.ends_with('/') {
            continue;
        }
        match name.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "inside {open:?}"),
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

/// Returns the titles of the sections, in order.
pub(crate) fn headings(html: &str) -> Vec<&str> {
    html.split("<h2 ")
        .skip(1)
        .map(|rest| rest.split(['>', '<']).nth(1).unwrap())
        .collect()
}
