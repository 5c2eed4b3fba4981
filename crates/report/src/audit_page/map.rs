use serde::Serialize;
use tellapart_audit::recorded::{AuditedPair, LatentMap};

use super::{PointColours, key};
use crate::figures::{SIDE, View, nice_length, scrambled};
use crate::svg::Svg;
use crate::text::{escape, number, percent, plain, round_number};
use crate::{ClassNames, Point};

/// Shades of a number that takes many values.
const SHADES: usize = 9;

/// A map as it is drawn.
pub(super) struct Drawn {
    /// The colours and what they mean.
    pub(super) classes: ClassNames,
    of_point: Vec<u32>,
    /// Where the points are.
    pub(super) places: Places,
    /// The points that each pair joins, where both are on the map.
    pub(super) ends: Vec<Option<[usize; 2]>>,
    explained_share: [f64; 2],
    units_per_pixel: f64,
}

/// Where the points are in the picture, which is a square of [`SIDE`].
#[derive(Serialize)]
pub(super) struct Places {
    components: Vec<[f64; 2]>,
    neighbours: Vec<[f64; 2]>,
}

impl Drawn {
    pub(super) fn new(
        map: &LatentMap,
        colours: Option<&PointColours>,
        pairs: &[AuditedPair],
    ) -> Self {
        let (classes, of_point) = match colours {
            None => (
                names(String::new(), vec![String::new()]),
                vec![0; map.rows.len()],
            ),
            Some(PointColours::Classes { names, of_point }) => (names.clone(), of_point.clone()),
            Some(PointColours::Values { name, of_point }) => shades(name, of_point),
        };
        // Neighbours in the list are often of one class; a scrambled order hides no class under
        // another. Everything here is in that order.
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
                neighbours: place(&map.neighbours, &order).0,
            },
            ends: pairs
                .iter()
                .map(|pair| Some([drawn(pair.i)?, drawn(pair.j)?]))
                .collect(),
            explained_share: map.explained_share,
            units_per_pixel,
        }
    }

    /// The picture with its key and the choice between the maps. `spread` is the unit of the scale.
    pub(super) fn markup(&self, pairs: &[AuditedPair], spread: f64) -> String {
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
        // The worst pair lies on top.
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
        let [first, second] = self.explained_share;
        let scale = match self.scale(spread) {
            Some((pixels, length)) => format!(
                "<span class=\"scale\"><span class=\"bar\" style=\"width:{:.1}%\"></span> {length} \
                 of the spread</span>",
                100.0 * pixels / SIDE
            ),
            None => "<span class=\"scale\">all points coincide</span>".to_owned(),
        };
        format!(
            "<figure class=\"map\">\n<fieldset class=\"choice needs-script\"><legend class=\"hidden\">Map</legend>\
             <label><input type=\"radio\" name=\"map\" value=\"components\" checked><span>Principal components</span></label>\
             <label><input type=\"radio\" name=\"map\" value=\"neighbours\"><span>Neighbours</span></label></fieldset>\n\
             {}{}<figcaption><span data-map=\"components\">{scale} <span class=\"axes\">PC 1 ({}) \u{d7} PC 2 ({})</span></span>\
             <span data-map=\"neighbours\" hidden>t-SNE: neighbours stay together, distances between \
             groups mean nothing.</span></figcaption></figure>\n",
            svg.inline(),
            self.legend(),
            percent(first),
            percent(second),
        )
    }

    /// A round length in units of the spread, and how long it is in the picture.
    fn scale(&self, spread: f64) -> Option<(f64, String)> {
        let unit = spread / self.units_per_pixel;
        if self.units_per_pixel <= 0.0 || !unit.is_normal() {
            return None;
        }
        let length = nice_length(SIDE / 4.0 / unit);
        Some((length * unit, round_number(length)))
    }

    fn legend(&self) -> String {
        if self.classes.noun.is_empty() {
            return String::new();
        }
        let noun = escape(&self.classes.noun);
        let keys: String = (0..self.classes.len())
            .map(|class| {
                let name = escape(&self.classes.name(class as u32));
                format!("<li><span class=\"swatch c{class}\"></span>{name}</li>")
            })
            .collect();
        format!(
            "<ul class=\"legend\" aria-label=\"colours by {noun}\"><li class=\"noun\">{noun}</li>{keys}</ul>\n"
        )
    }
}

fn names(noun: String, names: Vec<String>) -> ClassNames {
    ClassNames { noun, names }
}

/// Places in the picture, and how many latent units a pixel is (0 where all coincide).
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

/// A number as a class: one for each value where there are few, otherwise even steps from the
/// smallest to the largest.
fn shades(name: &str, values: &[f64]) -> (ClassNames, Vec<u32>) {
    let mut distinct: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    let (low, high) = match (distinct.first(), distinct.last()) {
        (Some(&low), Some(&high)) => (low, high),
        _ => return (names(name.to_owned(), Vec::new()), vec![0; values.len()]),
    };
    if distinct.len() <= SHADES {
        let of_point = values
            .iter()
            .map(|v| distinct.partition_point(|d| d < v) as u32);
        let labels = distinct.iter().map(|&v| plain(v)).collect();
        return (names(name.to_owned(), labels), of_point.collect());
    }
    let step = (high - low) / SHADES as f64;
    let of_point = values
        .iter()
        .map(|v| (((v - low) / step) as u32).min(SHADES as u32 - 1));
    let labels = (0..SHADES).map(|shade| {
        let from = low + step * shade as f64;
        format!("{} to {}", number(from), number(from + step))
    });
    (names(name.to_owned(), labels.collect()), of_point.collect())
}
