//! Numbers as text for readers.

/// Text for a number that does not exist: an en dash.
pub(crate) const MISSING: &str = "\u{2013}";

/// Replaces control characters, which XML forbids and HTML does not show.
pub(crate) fn printable(text: &str) -> String {
    text.replace(|c: char| c.is_control() && !c.is_whitespace(), "\u{fffd}")
}

/// Formats a number with three significant digits, or with a power of ten if it is very small or
/// very large.
pub(crate) fn number(value: impl Into<Option<f64>>) -> String {
    let Some(value) = value.into().filter(|v| v.is_finite()) else {
        return MISSING.to_owned();
    };
    let size = value.abs();
    let plain = if size == 0.0 {
        return "0".to_owned();
    } else if (1e-3..1e5).contains(&size) {
        let digits_before = size.log10().floor() as i32;
        format!("{:.*}", (2 - digits_before).clamp(0, 5) as usize, size)
    } else {
        let exponent = size.log10().floor() as i32;
        // Rounding may carry into the next power: 9.97 would become 10.0.
        let (mantissa, exponent) = match format!("{:.1}", size / 10f64.powi(exponent)).as_str() {
            "10.0" => ("1.0".to_owned(), exponent + 1),
            mantissa => (mantissa.to_owned(), exponent),
        };
        format!(
            "{mantissa}\u{202f}\u{00d7}\u{202f}10{}",
            superscript(exponent)
        )
    };
    if value < 0.0 {
        format!("\u{2212}{plain}")
    } else {
        plain
    }
}

/// Formats a number like [`number`], but a whole one that is not large without a fraction.
pub(crate) fn plain(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e5 {
        format!("{}", value + 0.0).replace('-', "\u{2212}")
    } else {
        number(value)
    }
}

/// Formats a number that is one digit times a power of ten, without trailing zeros.
pub(crate) fn round_number(value: f64) -> String {
    if !(1e-3..1e5).contains(&value) {
        return number(value);
    }
    let decimals = -(value * (1.0 + 1e-9)).log10().floor();
    format!("{value:.*}", decimals.max(0.0) as usize)
}

/// Formats a power of ten.
pub(crate) fn power_of_ten(exponent: i32) -> String {
    if exponent == 0 {
        "1".to_owned()
    } else {
        format!("10{}", superscript(exponent))
    }
}

/// Formats a share in `[0, 1]` as a percentage.
pub(crate) fn percent(share: impl Into<Option<f64>>) -> String {
    match share.into().filter(|s| s.is_finite()) {
        Some(share) => format!("{:.1}\u{202f}%", 100.0 * share),
        None => MISSING.to_owned(),
    }
}

/// Formats a count, with narrow spaces between thousands.
pub(crate) fn grouped(count: impl ToString) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

fn superscript(exponent: i32) -> String {
    exponent
        .to_string()
        .chars()
        .map(|digit| match digit {
            '-' => '\u{207b}',
            '1' => '\u{b9}',
            '2' => '\u{b2}',
            '3' => '\u{b3}',
            '0' => '\u{2070}',
            // The remaining superscript digits have consecutive code points.
            other => char::from_u32(0x2070 + other.to_digit(10).unwrap_or(0)).unwrap_or(other),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let cases = [
            (0.0, "0"),
            (1.0, "1.00"),
            (0.123_456, "0.123"),
            (-0.5, "\u{2212}0.500"),
            (0.001_234, "0.00123"),
            (1234.5, "1234"),
            (2.5e-9, "2.5\u{202f}\u{d7}\u{202f}10\u{207b}\u{2079}"),
            (9.97e-12, "1.0\u{202f}\u{d7}\u{202f}10\u{207b}\u{b9}\u{b9}"),
            (f64::NAN, MISSING),
            (f64::NEG_INFINITY, MISSING),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected, "{value}");
        }
        let whole = [
            (1.0, "1"),
            (-0.0, "0"),
            (-2.0, "\u{2212}2"),
            (0.5, "0.500"),
            (1e6, "1.0\u{202f}\u{d7}\u{202f}10\u{2076}"),
            (f64::NAN, MISSING),
        ];
        for (value, expected) in whole {
            assert_eq!(plain(value), expected, "{value}");
        }
        assert_eq!(
            (number(None), percent(None)),
            (MISSING.to_owned(), MISSING.to_owned())
        );
        assert_eq!(percent(0.9964), "99.6\u{202f}%");
    }

    #[test]
    fn round_numbers_have_no_idle_digits() {
        let cases = [(0.002, "0.002"), (0.5, "0.5"), (2.0, "2"), (1000.0, "1000")];
        for (value, expected) in cases {
            assert_eq!(round_number(value), expected);
        }
        assert_eq!(
            (power_of_ten(0).as_str(), power_of_ten(-3).as_str()),
            ("1", "10\u{207b}\u{b3}")
        );
    }
}
