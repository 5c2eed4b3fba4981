//! Places the names of classes in a scatter plot, so that no two overlap.

use std::collections::BTreeMap;

use super::scatter::{Point, SIDE, View};
use crate::ClassNames;

/// Classes whose centroids are nearer than this share one label, in pixels.
const ONE_PLACE: f64 = 15.0;
/// Distance of a label from the edge of the picture, in pixels.
const MARGIN: f64 = 3.0;
const HALF_HEIGHT: f64 = 6.0;

/// Name of a class (or of several classes in one place), and the place of its center.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    pub(crate) name: String,
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Label {
    fn overlaps(&self, other: &Self) -> bool {
        let apart = half_width(&self.name) + half_width(&other.name);
        (self.x - other.x).abs() < apart && (self.y - other.y).abs() < 2.0 * HALF_HEIGHT
    }
}

/// Points of one class, or of several classes in one place.
struct Cluster {
    names: Vec<String>,
    centroid: (f64, f64),
    /// Root mean square distance from the centroid, in pixels.
    radius: f64,
}

/// Places the name of each class next to its centroid, outward so as not to cover the cluster. One
/// that would overlap an earlier one goes to another side of its cluster. If no side is free, it is
/// left out: the key has all names.
pub(crate) fn place(points: &[Point], classes: &ClassNames, view: &View) -> Vec<Label> {
    let mut placed: Vec<Label> = Vec::new();
    for cluster in clusters(points, classes, view) {
        let free = |label: &Label| placed.iter().all(|other| !label.overlaps(other));
        let label = cluster.candidates().into_iter().find(free);
        placed.extend(label);
    }
    placed
}

/// Returns the clusters in the order of their first classes; none if no class has a name.
fn clusters(points: &[Point], classes: &ClassNames, view: &View) -> Vec<Cluster> {
    if classes.is_empty() {
        return Vec::new();
    }
    let mut places: BTreeMap<u32, Vec<(f64, f64)>> = BTreeMap::new();
    for point in points {
        let place = view.place(point.x, point.y);
        places.entry(point.class).or_default().push(place);
    }
    let mut clusters: Vec<Cluster> = Vec::new();
    for (class, places) in places {
        let name = classes.name(class);
        if name.trim().is_empty() {
            continue;
        }
        let count = places.len() as f64;
        let x = places.iter().map(|place| place.0).sum::<f64>() / count;
        let y = places.iter().map(|place| place.1).sum::<f64>() / count;
        let squares = places
            .iter()
            .map(|place| (place.0 - x).powi(2) + (place.1 - y).powi(2));
        let near =
            |other: &&mut Cluster| (x - other.centroid.0).hypot(y - other.centroid.1) < ONE_PLACE;
        match clusters.iter_mut().find(near) {
            Some(cluster) => cluster.names.push(name),
            None => clusters.push(Cluster {
                names: vec![name],
                centroid: (x, y),
                radius: (squares.sum::<f64>() / count).sqrt(),
            }),
        }
    }
    clusters
}

impl Cluster {
    /// Returns the places for the label around the cluster, the best first. All are in the picture.
    fn candidates(&self) -> Vec<Label> {
        let name = shortened(&self.names.join("\u{202f}\u{b7}\u{202f}"));
        let half = half_width(&name);
        let (x, y) = self.centroid;
        let (right, down) = (x - SIDE / 2.0, y - SIDE / 2.0);
        // A label of several names goes above, where the edge of the picture cannot push it back.
        let outward = if self.names.len() > 1 || right.hypot(down) < 1.0 {
            -std::f64::consts::FRAC_PI_2
        } else {
            down.atan2(right)
        };
        let distance = 8.0 + 1.2 * self.radius.min(24.0);
        [0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 4.0]
            .map(|eighths| {
                let angle = outward + eighths * std::f64::consts::FRAC_PI_4;
                let x = x + (distance + half) * angle.cos();
                let y = y + (distance + 4.0) * angle.sin();
                Label {
                    name: name.clone(),
                    x: x.clamp(half + MARGIN, SIDE - half - MARGIN),
                    y: y.clamp(HALF_HEIGHT + 2.0, SIDE - HALF_HEIGHT - 2.0),
                }
            })
            .to_vec()
    }
}

/// Cuts a name that is wider than the picture.
fn shortened(name: &str) -> String {
    let fits = |name: &str| half_width(name) + MARGIN <= SIDE / 2.0;
    if fits(name) {
        return name.to_owned();
    }
    let mut short = String::new();
    for character in name.chars() {
        let longer = format!("{short}{character}\u{2026}");
        if !fits(&longer) {
            break;
        }
        short.push(character);
    }
    short.push('\u{2026}');
    short
}

/// Estimates half the width of a name. No font is available to measure it.
fn half_width(name: &str) -> f64 {
    // Beyond the alphabets of Europe, characters may be twice as wide.
    let wide =
        |character: char| character >= '\u{1100}' && !('\u{2000}'..'\u{2e80}').contains(&character);
    let units = name.chars().map(|it| if wide(it) { 2.0 } else { 1.0 });
    3.0 * units.sum::<f64>() + 1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points() -> impl Strategy<Value = Vec<Point>> {
        let point = (-1.0..1.0_f64, -1.0..1.0_f64, 0_u32..14);
        let point = point.prop_map(|(x, y, class)| Point { x, y, class });
        prop::collection::vec(point, 1..60)
    }

    fn classes() -> impl Strategy<Value = ClassNames> {
        let name = prop_oneof!["[a-z]{1,12}", "[a-z\u{4e00}]{1,200}"];
        prop::collection::vec(name, 1..14).prop_map(|names| ClassNames {
            noun: "class".to_owned(),
            names,
        })
    }

    proptest! {
        #[test]
        fn labels_are_in_the_picture_and_never_overlap(points in points(), classes in classes()) {
            let view = View::around(&points);
            let labels = place(&points, &classes, &view);
            prop_assert!(!labels.is_empty());
            for (index, label) in labels.iter().enumerate() {
                let half = half_width(&label.name);
                prop_assert!(label.x - half >= 0.0 && label.x + half <= SIDE, "{:?}", label);
                prop_assert!(label.y - HALF_HEIGHT >= 0.0, "{:?}", label);
                prop_assert!(label.y + HALF_HEIGHT <= SIDE, "{:?}", label);
                for other in &labels[..index] {
                    prop_assert!(!label.overlaps(other), "{:?} {:?}", label, other);
                }
            }
            prop_assert_eq!(place(&points, &classes, &view), labels);
        }
    }

    /// Two names that collide, next to six that do not.
    #[test]
    fn names_that_would_collide_take_no_others_with_them() {
        let at = |class: u32, x: f64, y: f64| Point { x, y, class };
        let mut points: Vec<Point> = (0..6)
            .map(|class| {
                at(
                    class,
                    f64::from(class % 3) * 50.0,
                    f64::from(class / 3) * 100.0,
                )
            })
            .collect();
        points.push(at(6, 50.0, 50.0));
        points.push(at(7, 58.0, 50.0));
        let classes = ClassNames {
            noun: "class".to_owned(),
            names: (0..8).map(|class| format!("class {class}")).collect(),
        };
        let labels = place(&points, &classes, &View::around(&points));
        for class in 0..8 {
            let name = format!("class {class}");
            assert!(labels.iter().any(|label| label.name == name), "{name}");
        }
    }

    #[test]
    fn a_collapsed_run_has_one_label_with_all_names() {
        let points: Vec<Point> = (0..3)
            .map(|class| Point {
                x: 1.0,
                y: 1.0,
                class,
            })
            .collect();
        let classes = ClassNames {
            noun: "class".to_owned(),
            names: ["a", "b", "c"].map(str::to_owned).to_vec(),
        };
        let labels = place(&points, &classes, &View::around(&points));
        assert_eq!(labels.len(), 1);
        assert!(
            ["a", "b", "c"]
                .iter()
                .all(|name| labels[0].name.contains(name))
        );
    }
}
