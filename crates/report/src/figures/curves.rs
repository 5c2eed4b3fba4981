//! Line charts.

use crate::color::series_style;
use crate::svg::Svg;
use crate::text::{number, power_of_ten};

const WIDTH: f64 = 420.0;
const PLOT_HEIGHT: f64 = 170.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 10.0;
const FOOT: f64 = 34.0;
const KEY_LINE: f64 = 16.0;
/// Most points of a line; a screen cannot show more.
const MOST_POINTS: usize = 240;

/// Line chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Name of the quantity.
    pub title: String,
    /// Quantity of the horizontal axis, with its unit.
    pub x_label: String,
    /// Scale of the vertical axis.
    pub scale: Scale,
    /// Lines.
    pub series: Vec<Series>,
}

/// Scale of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Linear scale.
    Linear,
    /// Logarithmic scale by powers of ten; values that are not above zero are left out.
    Logarithmic,
}

/// Line of a chart. A point that is not finite breaks it.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name in the key.
    pub name: String,
    /// Horizontal and vertical value of each point, by increasing horizontal value.
    pub points: Vec<(f64, f64)>,
}

pub(crate) fn draw(chart: &Chart) -> Svg {
    let key = place_key(&chart.series);
    let key_height = key.last().map_or(0.0, |(_, y)| y + KEY_LINE) + 8.0;
    let label = format!(
        "Line chart of {} against {}: {}",
        chart.title,
        chart.x_label,
        chart
            .series
            .iter()
            .map(|s| s.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    );
    let mut svg = Svg::new(WIDTH, key_height + PLOT_HEIGHT + FOOT, &label);
    for (index, (x, y)) in key.iter().enumerate() {
        let class = format!("curve s{}", series_style(index));
        svg.line(&class, (*x, y + 8.0), (x + 20.0, y + 8.0));
        svg.text("key", x + 26.0, y + 12.0, &chart.series[index].name);
    }

    let transform = |value: f64| match chart.scale {
        Scale::Linear => value,
        Scale::Logarithmic => value.log10(),
    };
    let seen = || {
        chart
            .series
            .iter()
            .flat_map(|s| &s.points)
            .map(|&(x, y)| (x, transform(y)))
            .filter(|(x, y)| x.is_finite() && y.is_finite())
    };
    let bottom = key_height + PLOT_HEIGHT;
    if seen().next().is_none() {
        svg.rect("frame", LEFT, key_height, WIDTH - LEFT - RIGHT, PLOT_HEIGHT);
        svg.text(
            "middle",
            WIDTH / 2.0,
            key_height + PLOT_HEIGHT / 2.0,
            "no values",
        );
        return svg;
    }
    let x_axis = Axis::linear(seen().map(|p| p.0)).tight(seen().map(|p| p.0));
    let y_axis = match chart.scale {
        Scale::Linear => Axis::linear(seen().map(|p| p.1)),
        Scale::Logarithmic => Axis::decades(seen().map(|p| p.1)),
    };
    let at_x = |x: f64| LEFT + (WIDTH - LEFT - RIGHT) * x_axis.share(x);
    let at_y = |y: f64| bottom - PLOT_HEIGHT * y_axis.share(y);
    for (tick, name) in y_axis.ticks() {
        svg.line("grid", (LEFT, at_y(tick)), (WIDTH - RIGHT, at_y(tick)));
        svg.text("end", LEFT - 7.0, at_y(tick) + 3.5, &name);
    }
    for (tick, name) in x_axis.ticks() {
        svg.line("axis", (at_x(tick), bottom), (at_x(tick), bottom + 3.0));
        svg.text("middle", at_x(tick), bottom + 15.0, &name);
    }
    svg.line("axis", (LEFT, bottom), (WIDTH - RIGHT, bottom));
    svg.text("end", WIDTH - RIGHT, bottom + 29.0, &chart.x_label);
    for (index, series) in chart.series.iter().enumerate() {
        let points: Vec<Option<(f64, f64)>> = thinned(&series.points)
            .map(|&(x, y)| (x, transform(y)))
            .map(|(x, y)| (x.is_finite() && y.is_finite()).then(|| (at_x(x), at_y(y))))
            .collect();
        svg.polyline(&format!("curve s{}", series_style(index)), &points);
    }
    svg
}

/// Returns evenly chosen points, always with the last one.
fn thinned(points: &[(f64, f64)]) -> impl Iterator<Item = &(f64, f64)> {
    let stride = points.len().div_ceil(MOST_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    points
        .iter()
        .enumerate()
        .filter(move |(i, _)| i % stride == 0 || *i == last)
        .map(|(_, p)| p)
}

/// Returns the upper left corner of each entry of the key, in lines as wide as the chart. Text
/// widths are estimated, since no font is available to measure them.
fn place_key(series: &[Series]) -> Vec<(f64, f64)> {
    let (mut x, mut y) = (LEFT, 0.0);
    series
        .iter()
        .map(|series| {
            let width = 26.0 + 5.9 * series.name.chars().count() as f64 + 16.0;
            if x > LEFT && x + width > WIDTH {
                (x, y) = (LEFT, y + KEY_LINE);
            }
            let place = (x, y);
            x += width;
            place
        })
        .collect()
}

struct Axis {
    low: f64,
    high: f64,
    step: f64,
    decades: bool,
}

impl Axis {
    /// Creates an axis between round numbers, with about five steps of 1, 2 or 5 times a power of
    /// ten.
    fn linear(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = range(values);
        // Values that are equal, or nearly so for their size, still need an axis of some length.
        let margin = 0.5 * low.abs().max(f64::MIN_POSITIVE.sqrt());
        let (low, high) = if high - low > 1e-9 * high.abs().max(low.abs()) {
            (low, high)
        } else {
            (low - margin, high + margin)
        };
        let rough = (high - low) / 4.5;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|m| m * power)
            .find(|&s| s >= rough * 0.999)
            .unwrap_or(rough);
        Self {
            low: (low / step).floor() * step,
            high: (high / step).ceil() * step,
            step,
            decades: false,
        }
    }

    fn decades(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = range(values);
        let low = low.floor();
        let high = high.ceil().max(low + 1.0);
        Self {
            low,
            high,
            step: ((high - low) / 5.0).ceil(),
            decades: true,
        }
    }

    /// Cuts off the room that round ends add, so that lines reach both edges.
    fn tight(self, values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = range(values);
        if low < high {
            Self { low, high, ..self }
        } else {
            self
        }
    }

    fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        let first = (self.low / self.step - 1e-6).ceil() as i64;
        let last = (self.high / self.step + 1e-6).floor() as i64;
        // Decades are counted from the low end, which need not be a multiple of the step.
        let (first, last, origin) = if self.decades {
            (0, ((self.high - self.low) / self.step) as i64, self.low)
        } else {
            (first, last, 0.0)
        };
        (first..=last)
            .map(|i| {
                let at = origin + i as f64 * self.step;
                let name = if self.decades {
                    power_of_ten(at.round() as i32)
                } else {
                    self.plain(at)
                };
                (at, name)
            })
            .collect()
    }

    /// Formats a tick with as many decimals as the step needs.
    fn plain(&self, value: f64) -> String {
        let decimals = -self.step.log10().floor();
        if !(-6.0..=4.0).contains(&decimals) {
            return number(value);
        }
        let text = format!("{value:.*}", decimals.max(0.0) as usize);
        match text.strip_prefix('-') {
            Some(zero) if zero.chars().all(|c| c == '0' || c == '.') => zero.to_owned(),
            Some(size) => format!("\u{2212}{size}"),
            None => text,
        }
    }
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    })
}
