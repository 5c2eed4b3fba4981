//! Numbers exactly as text says them: decimals and fractions.

/// A number as its text says it. Numbers are equal iff they are equal values: `0.5`, `5e-1` and
/// `1/2` are, `1/3` and `0.3333333333333333` are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Exact {
    Finite(Fraction),
    Infinite { is_negative: bool },
}

/// The number `numerator / denominator * 2^twos * 5^fives`, with its sign.
///
/// Numerator and denominator have no common factor, and none of 2 or 5, so that equal numbers have
/// equal fields. Zero is `0 / 1 * 2^0 * 5^0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fraction {
    is_negative: bool,
    numerator: u128,
    denominator: u128,
    twos: i64,
    fives: i64,
}

/// Reason why a text is no number that can be compared, worded to follow "expected".
pub(crate) type NoNumber = &'static str;

const NOT_A_NUMBER: NoNumber = "a number";
const TOO_LONG: NoNumber = "a number of at most 38 digits, zeros at its ends not counted";
const TOO_LARGE: NoNumber = "a number below 1.8e308";
const NO_DIVISION: NoNumber = "a number, not a division by zero";

/// Exponents beyond this are no sensible numbers; sums of a few of them fit `i64`.
const LARGEST_EXPONENT: i64 = 1 << 40;

impl Exact {
    pub(crate) const ZERO: Self = Self::Finite(Fraction::ZERO);
    pub(crate) const ONE: Self = Self::Finite(Fraction {
        numerator: 1,
        ..Fraction::ZERO
    });

    /// Parses a decimal (`-1.5e3`, `.5`), a fraction of two (`1/3`), or an infinity (`inf`,
    /// `-Infinity`). Also returns the nearest `f64`, of a fraction up to rounding.
    pub(crate) fn parse(text: &[u8]) -> Result<(Self, f64), NoNumber> {
        let word = str::from_utf8(text).map_err(|_| NOT_A_NUMBER)?;
        let unsigned = word.trim_start_matches(['+', '-']);
        if ["inf", "infinity"].contains(&&unsigned.to_ascii_lowercase()[..]) {
            let value = word.parse::<f64>().map_err(|_| NOT_A_NUMBER)?;
            let is_negative = value < 0.0;
            return Ok((Self::Infinite { is_negative }, value));
        }
        let (fraction, value) = match word.split_once('/') {
            None => decimal(word)?,
            Some((above, below)) => {
                let ((above, a), (below, b)) = (decimal(above)?, decimal(below)?);
                (above.divided_by(&below)?, a / b)
            }
        };
        match value.is_finite() {
            true => Ok((Self::Finite(fraction), value)),
            false => Err(TOO_LARGE),
        }
    }

    /// Whether the number is below zero.
    pub(crate) fn is_negative(&self) -> bool {
        match self {
            Self::Finite(fraction) => fraction.is_negative,
            Self::Infinite { is_negative } => *is_negative,
        }
    }

    /// Adds two numbers that are not negative. `None` if the exact sum has too many digits.
    pub(crate) fn checked_add(&self, other: &Self) -> Option<Self> {
        let (Self::Finite(a), Self::Finite(b)) = (self, other) else {
            return None;
        };
        if a.numerator == 0 {
            return Some(*other);
        }
        if b.numerator == 0 {
            return Some(*self);
        }
        let (twos, fives) = (a.twos.min(b.twos), a.fives.min(b.fives));
        let scaled = |number: &Fraction, by: u128| {
            let twos = 2_u128.checked_pow(u32::try_from(number.twos - twos).ok()?)?;
            let fives = 5_u128.checked_pow(u32::try_from(number.fives - fives).ok()?)?;
            let factor = twos.checked_mul(fives)?.checked_mul(by)?;
            number.numerator.checked_mul(factor)
        };
        let common = greatest_divisor(a.denominator, b.denominator);
        let numerator =
            scaled(a, b.denominator / common)?.checked_add(scaled(b, a.denominator / common)?)?;
        let denominator = (a.denominator / common).checked_mul(b.denominator)?;
        Some(Self::Finite(
            Fraction {
                is_negative: false,
                numerator,
                denominator,
                twos,
                fives,
            }
            .reduced(),
        ))
    }
}

impl Fraction {
    const ZERO: Self = Self {
        is_negative: false,
        numerator: 0,
        denominator: 1,
        twos: 0,
        fives: 0,
    };

    fn divided_by(&self, other: &Self) -> Result<Self, NoNumber> {
        if other.numerator == 0 {
            return Err(NO_DIVISION);
        }
        let quotient = Self {
            is_negative: self.is_negative != other.is_negative,
            numerator: self.numerator,
            denominator: other.numerator,
            twos: self.twos - other.twos,
            fives: self.fives - other.fives,
        };
        Ok(quotient.reduced())
    }

    /// Moves all factors of 2 and 5 of the numerator into the exponents, and removes common
    /// factors. The denominator has neither 2 nor 5 as a factor.
    fn reduced(mut self) -> Self {
        if self.numerator == 0 {
            return Self::ZERO;
        }
        let twos = self.numerator.trailing_zeros();
        self.numerator >>= twos;
        self.twos += i64::from(twos);
        while self.numerator.is_multiple_of(5) {
            self.numerator /= 5;
            self.fives += 1;
        }
        let common = greatest_divisor(self.numerator, self.denominator);
        self.numerator /= common;
        self.denominator /= common;
        self
    }
}

/// Parses a decimal number, and returns the nearest `f64`, too.
fn decimal(word: &str) -> Result<(Fraction, f64), NoNumber> {
    // The standard library accepts what follows and more (`nan`, `inf`).
    let value = word.parse::<f64>().map_err(|_| NOT_A_NUMBER)?;
    let (mantissa, exponent) = word.split_once(['e', 'E']).unwrap_or((word, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_negative = whole.starts_with('-');
    let whole = whole.trim_start_matches(['+', '-']);
    let (mut number, mut zeros) = (0_u128, 0_u32);
    for digit in whole.bytes().chain(part.bytes()) {
        let digit = match digit {
            b'0' if number == 0 => continue,
            b'0' => {
                zeros += 1;
                continue;
            }
            b'1'..=b'9' => u128::from(digit - b'0'),
            _ => return Err(NOT_A_NUMBER),
        };
        number = 10_u128
            .checked_pow(zeros + 1)
            .and_then(|scale| number.checked_mul(scale)?.checked_add(digit))
            .ok_or(TOO_LONG)?;
        zeros = 0;
    }
    if number == 0 {
        return Ok((Fraction::ZERO, 0.0));
    }
    let exponent = match exponent.parse::<i64>() {
        Ok(exponent) if exponent.abs() < LARGEST_EXPONENT => exponent,
        _ => return Err("a number whose exponent is sensible"),
    };
    let tens = exponent + i64::from(zeros) - part.len() as i64;
    let fraction = Fraction {
        is_negative,
        numerator: number,
        denominator: 1,
        twos: tens,
        fives: tens,
    };
    Ok((fraction.reduced(), value))
}

fn greatest_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn exact(text: &str) -> Exact {
        Exact::parse(text.as_bytes()).unwrap().0
    }

    #[test]
    fn equal_numbers_are_equal_however_they_are_written() {
        let groups: [&[&str]; 9] = [
            &["0", "-0", "0.000", "0e99", "0/7", "-0/3", ".0"],
            &["1", "1.0", "+1", "1e0", "0.1e1", "10e-1", "7/7", "01"],
            &["0.5", ".5", "5e-1", "1/2", "2/4", "0.50", "1.5/3", "500e-3"],
            &["1/3", "2/6", "10/30", "0.1/0.3", "1e20/3e20"],
            &["0.3333333333333333"],
            &["23/10", "2.3", "230e-2"],
            &["-1/3", "-2/6", "1/-3"],
            &["inf", "Infinity", "+inf"],
            &["-inf", "-Infinity"],
        ];
        for (i, group) in groups.iter().enumerate() {
            for (j, other) in groups.iter().enumerate() {
                for (a, b) in group.iter().flat_map(|a| other.iter().map(move |b| (a, b))) {
                    assert_eq!(exact(a) == exact(b), i == j, "{a} and {b}");
                }
            }
        }
        // Equal as `f64`, and different.
        let (third, rounded) = (b"1/3", b"0.3333333333333333");
        let values = [&third[..], rounded].map(|text| Exact::parse(text).unwrap().1);
        assert_eq!(values[0].to_bits(), values[1].to_bits());
        assert_ne!(exact("9007199254740993"), exact("9007199254740992"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", ".", "-", "e5", "1e", "nan", "NaN", "0x1", "1/", "/2", "1/2/3", "1,5",
        ] {
            assert!(Exact::parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert_eq!(Exact::parse(b"1/0"), Err(NO_DIVISION));
        assert_eq!(Exact::parse(b"1e309"), Err(TOO_LARGE));
        let long = "1".repeat(40);
        assert_eq!(Exact::parse(long.as_bytes()), Err(TOO_LONG));
        let zeros = format!("1{}", "0".repeat(40));
        assert_eq!(exact(&zeros), exact("1e40"));
        assert!(Exact::parse(b"1e99999999999999999999").is_err());
        assert_eq!(exact("1e-400"), exact("10e-401"));
        assert_ne!(exact("1e-400"), Exact::ZERO);
    }

    #[test]
    fn sums_are_exact() {
        let sum = |texts: &[&str]| {
            texts
                .iter()
                .try_fold(Exact::ZERO, |sum, text| sum.checked_add(&exact(text)))
        };
        assert_eq!(sum(&["0.1"; 10]), Some(Exact::ONE));
        assert_eq!(sum(&["1/3", "2/3"]), Some(Exact::ONE));
        assert_eq!(sum(&["1/3", "0.5", "1/6", "0"]), Some(Exact::ONE));
        assert_ne!(sum(&["0.1"; 9]), Some(Exact::ONE));
        assert_ne!(sum(&["0.3333333333333333"; 3]), Some(Exact::ONE));
        assert_eq!(sum(&["1e-300", "1"]), None);
        assert_eq!(sum(&["inf", "1"]), None);
    }

    /// Small fractions against the definition: `a/b = c/d` iff `ad = bc`.
    #[test]
    fn small_fractions_compare_and_add_like_fractions() {
        for seed in 0..20_000 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut draw = || random.random_range(1..60_u64);
            let [a, b, c, d] = [draw(), draw(), draw(), draw()];
            let [first, second] = [(a, b), (c, d)].map(|(a, b)| exact(&format!("{a}/{b}")));
            assert_eq!(first == second, a * d == b * c, "seed {seed}");
            let sum = exact(&format!("{}/{}", a * d + c * b, b * d));
            assert_eq!(first.checked_add(&second), Some(sum), "seed {seed}");
        }
    }
}
