//! Map of the latents.

use maud::{Markup, html};
use serde::Serialize;
use tellapart_audit::recorded::{AuditedPair, LatentMap};

use super::{PointColors, key};
use crate::elements::legend;
use crate::figures::{SIDE, View, nice_length, scrambled};
use crate::svg::Svg;
use crate::text::{number, percent, plain, round_number};
use crate::{ClassNames, Point};

/// Number of shades for a number that takes many values.
const SHADES: usize = 9;

/// Map as it is drawn. Points are in a scrambled order.
pub(super) struct Drawn {
    /// Classes that have colors.
    pub(super) classes: ClassNames,
    of_point: Vec<u32>,
    /// Places of the points.
    pub(super) places: Places,
    /// Points that each pair joins, if both are on the map.
    pub(super) ends: Vec<Option<[usize; 2]>>,
    explained_share: [f64; 2],
    units_per_pixel: f64,
}

/// Places of the points in both maps, in a square picture of side [`SIDE`].
#[derive(Serialize)]
pub(super) struct Places {
    components: Vec<[f64; 2]>,
    neighbors: Vec<[f64; 2]>,
}

impl Drawn {
    pub(super) fn new(
        map: &LatentMap,
        colors: Option<&PointColors>,
        pairs: &[AuditedPair],
    ) -> Self {
        let (classes, of_point) = match colors {
            None => (
                names(String::new(), vec![String::new()]),
                vec![0; map.rows.len()],
            ),
            Some(PointColors::Classes { names, of_point }) => (names.clone(), of_point.clone()),
            Some(PointColors::Values { name, of_point }) => shades(name, of_point),
        };
        // Points are often listed class by class. In a scrambled order no class hides another.
        let order = scrambled(map.rows.len());
        let mut place_of = vec![0; order.len()];
        for (place, &point) in order.iter().enumerate() {
            place_of[point] = place;
        }
        let drawn = |row| {
            map.rows
                .binary_search(&row)
                .ok()
                .map(|point| place_of[point])
        };
        let (components, units_per_pixel) = place(&map.pca, &order);
        Self {
            classes,
            of_point: order.iter().map(|&point| of_point[point]).collect(),
            places: Places {
                components,
                neighbors: place(&map.neighbors, &order).0,
            },
            ends: pairs
                .iter()
                .map(|pair| Some([drawn(pair.i)?, drawn(pair.j)?]))
                .collect(),
            explained_share: map.explained_share,
            units_per_pixel,
        }
    }

    /// Returns the picture with its key and the choice between both maps. `spread` is the unit of
    /// the scale.
    pub(super) fn markup(&self, pairs: &[AuditedPair], spread: f64) -> Markup {
        let label = format!(
            "Map of {} latents; pairs are lines with rings at their ends. The same pairs are in the \
             table.",
            self.of_point.len()
        );
        let mut svg = Svg::new(SIDE, SIDE, &label);
        svg.rect("frame", 0.5, 0.5, SIDE - 1.0, SIDE - 1.0);
        svg.open("id=\"points\"");
        for (&[x, y], class) in self.places.components.iter().zip(&self.of_point) {
            svg.circle(&format!("dot c{class}"), x, y, 1.7);
        }
        svg.close();
        svg.open("id=\"links\"");
        // Drawn last, the worst pair lies on top.
        for (index, ends) in self.ends.iter().enumerate().rev() {
            let Some([a, b]) = ends else { continue };
            let ([ax, ay], [bx, by]) = (self.places.components[*a], self.places.components[*b]);
            let cause = key(pairs[index].cause);
            svg.open(&format!(
                "class=\"link {cause}\" data-pair=\"{}\"",
                index + 1
            ));
            svg.line("thread", (ax, ay), (bx, by));
            svg.circle("ring", ax, ay, 3.2);
            svg.circle("ring", bx, by, 3.2);
            svg.close();
        }
        svg.close();
        svg.open("id=\"chosen\"");
        svg.line("thread", (0.0, 0.0), (0.0, 0.0));
        for end in ["i", "j"] {
            svg.circle("ring", 0.0, 0.0, 5.5);
            svg.text("name", 0.0, 0.0, end);
        }
        svg.close();
        let [first, second] = self.explained_share.map(percent);
        html! {
            figure.map {
                fieldset.choice.needs-script {
                    legend.hidden { "Map" }
                    label {
                        input type="radio" name="map" value="components" checked;
                        span { "Principal components" }
                    }
                    label {
                        input type="radio" name="map" value="neighbors";
                        span { "Neighbors" }
                    }
                }
                (svg.inline())
                @if !self.classes.noun.is_empty() { (legend(&self.classes)) }
                figcaption {
                    span data-map="components" {
                        span.scale {
                            @if let Some((pixels, length)) = self.scale(spread) {
                                @let share = format!("width:{:.1}%", 100.0 * pixels / SIDE);
                                span.bar style=(share) {} " " (length) " of the spread"
                            } @else {
                                "all points coincide"
                            }
                        }
                        " "
                        span.axes { "PC 1 (" (first) ") \u{d7} PC 2 (" (second) ")" }
                    }
                    span data-map="neighbors" hidden {
                        "t-SNE: neighbors stay together, distances between groups mean nothing."
                    }
                }
            }
        }
    }

    /// Returns the length of a scale bar in the picture, and its round length in units of `spread`.
    /// `None` if all points coincide.
    fn scale(&self, spread: f64) -> Option<(f64, String)> {
        let unit = spread / self.units_per_pixel;
        if self.units_per_pixel <= 0.0 || !unit.is_normal() {
            return None;
        }
        let length = nice_length(SIDE / 4.0 / unit);
        Some((length * unit, round_number(length)))
    }
}

fn names(noun: String, names: Vec<String>) -> ClassNames {
    ClassNames { noun, names }
}

/// Returns places in the picture, and latent units per pixel (0 if all points coincide).
fn place(points: &[[f64; 2]], order: &[usize]) -> (Vec<[f64; 2]>, f64) {
    let points: Vec<Point> = order
        .iter()
        .map(|&point| points[point])
        .map(|[x, y]| Point { x, y, class: 0 })
        .collect();
    let view = View::around(&points);
    let tenth = |v: f64| (10.0 * v).round() / 10.0;
    let places = points.iter().map(|point| {
        let (x, y) = view.place(point.x, point.y);
        [tenth(x), tenth(y)]
    });
    (places.collect(), view.units_per_pixel)
}

/// Groups values into classes: one for each value if there are few, otherwise even steps from the
/// smallest to the largest. Values that are not known are a class of their own.
fn shades(name: &str, values: &[f64]) -> (ClassNames, Vec<u32>) {
    let (labels, of_value) = scale(values);
    let unknown = labels.len() as u32;
    let of_point = values.iter().map(|&value| match value.is_nan() {
        true => unknown,
        false => of_value(value),
    });
    let of_point: Vec<u32> = of_point.collect();
    let mut labels = labels;
    if of_point.contains(&unknown) {
        labels.push("not known".to_owned());
    }
    (names(name.to_owned(), labels), of_point)
}

/// Returns the names of the classes of known values, and the class of each value.
fn scale(values: &[f64]) -> (Vec<String>, Box<dyn Fn(f64) -> u32>) {
    let mut distinct: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    let (low, high) = match (distinct.first(), distinct.last()) {
        (Some(&low), Some(&high)) => (low, high),
        _ => return (Vec::new(), Box::new(|_| 0)),
    };
    if distinct.len() <= SHADES {
        let labels = distinct.iter().map(|&v| plain(v)).collect();
        let class = move |v: f64| distinct.partition_point(|&d| d < v) as u32;
        return (labels, Box::new(class));
    }
    let step = (high - low) / SHADES as f64;
    let class = move |v: f64| (((v - low) / step) as u32).min(SHADES as u32 - 1);
    let labels = (0..SHADES).map(|shade| {
        let from = low + step * shade as f64;
        format!("{} to {}", number(from), number(from + step))
    });
    (labels.collect(), Box::new(class))
}
