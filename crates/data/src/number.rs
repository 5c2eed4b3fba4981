//! Numbers as text.

/// Whole number up to which all are exact in `f64`.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Returns the shortest text that says which number this is. What came from `f32` is written as
/// `f32`, so `0.1` stays `0.1`. Very large and very small numbers are written as `1e-170`.
#[must_use]
pub fn shortest(number: f64) -> String {
    let narrow = number as f32;
    // Whole numbers have all their digits: two that differ in `f64` must not look equal.
    let is_whole = number.fract() == 0.0 && number.abs() < EXACT;
    let is_narrow = f64::from(narrow) == number && !is_whole;
    match number.abs() {
        0.0 | 1e-5..1e16 if is_narrow => narrow.to_string(),
        0.0 | 1e-5..1e16 => number.to_string(),
        _ if is_narrow => format!("{narrow:e}"),
        _ => format!("{number:e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_and_read_back() {
        for (number, text) in [
            (0.0, "0"),
            (f64::from(0.1_f32), "0.1"),
            (0.1, "0.1"),
            (-16_777_217.0, "-16777217"),
            (1e-170, "1e-170"),
            (-2.5e200, "-2.5e200"),
            (f64::from(1e-7_f32), "1e-7"),
            (123_456_792.0, "123456792"),
            (1_700_000_128.0, "1700000128"),
            (1_700_000_000_000_000_000.0, "1.7e18"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(shortest(number), text);
        }
        assert!(shortest(f64::NAN) == "NaN");
    }
}
