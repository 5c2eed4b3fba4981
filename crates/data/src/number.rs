//! Numbers as text.

/// Returns the shortest text that says which number this is. What came from `f32` is written as
/// `f32`, so `0.1` stays `0.1`.
#[must_use]
pub fn shortest(number: f64) -> String {
    let narrow = number as f32;
    if f64::from(narrow) == number {
        narrow.to_string()
    } else {
        number.to_string()
    }
}
