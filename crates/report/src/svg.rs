//! Writes SVG pictures.

use maud::{Markup, PreEscaped, Render};

use crate::text::printable;

/// Style of figures, for pages and for stand-alone files.
pub(crate) const STYLE: &str = include_str!("figure.css");

/// Builder of an SVG picture. Texts and classes are escaped.
pub(crate) struct Svg {
    body: String,
    width: f64,
    height: f64,
    label: String,
}

impl Svg {
    /// Creates an empty picture; `label` describes it to readers who cannot see it.
    pub(crate) fn new(width: f64, height: f64, label: &str) -> Self {
        Self {
            body: String::new(),
            width,
            height,
            label: escape(label),
        }
    }

    pub(crate) fn circle(&mut self, class: &str, x: f64, y: f64, radius: f64) {
        self.body += &format!(
            "<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>",
            escape(class),
            short(x),
            short(y),
            short(radius)
        );
    }

    pub(crate) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.body += &format!(
            "<path class=\"{}\" d=\"M{} {}L{} {}\"/>",
            escape(class),
            short(from.0),
            short(from.1),
            short(to.0),
            short(to.1)
        );
    }

    /// Draws an open line through the points, with a break wherever one is `None`. A point between
    /// two breaks becomes a dot by its round cap.
    pub(crate) fn polyline(&mut self, class: &str, points: &[Option<(f64, f64)>]) {
        let mut path = String::new();
        let mut pen_down = false;
        for point in points {
            if let Some((x, y)) = point {
                path += &format!(
                    "{}{} {}",
                    if pen_down { 'L' } else { 'M' },
                    short(*x),
                    short(*y)
                );
                if !pen_down {
                    path.push_str("h0");
                }
            }
            pen_down = point.is_some();
        }
        self.body += &format!("<path class=\"{}\" d=\"{path}\"/>", escape(class));
    }

    pub(crate) fn rect(&mut self, class: &str, x: f64, y: f64, width: f64, height: f64) {
        self.body += &format!(
            "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
            escape(class),
            short(x),
            short(y),
            short(width),
            short(height)
        );
    }

    /// Writes a text. `class` also sets the anchor: `middle`, `end`, or the start by default.
    pub(crate) fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        self.body += &format!(
            "<text class=\"{}\" x=\"{}\" y=\"{}\">{}</text>",
            escape(class),
            short(x),
            short(y),
            escape(text)
        );
    }

    /// Draws a PNG, stretched to the box with hard pixel edges.
    pub(crate) fn image(&mut self, png: &[u8], x: f64, y: f64, width: f64, height: f64) {
        self.body += &format!(
            "<image class=\"pixels\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" \
             preserveAspectRatio=\"none\" href=\"{}\"/>",
            short(x),
            short(y),
            short(width),
            short(height),
            data_uri(png)
        );
    }

    /// Begins a group; [`Svg::close`] ends it. `attributes` is markup and is not escaped.
    pub(crate) fn open(&mut self, attributes: &str) {
        self.body += &format!("<g {attributes}>");
    }

    /// Ends a group.
    pub(crate) fn close(&mut self) {
        self.body += "</g>";
    }

    /// Returns the picture for a page that already has the style.
    pub(crate) fn inline(self) -> Markup {
        PreEscaped(format!(
            "<svg class=\"fig\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {} {}\">{}</svg>",
            self.label,
            short(self.width),
            short(self.height),
            self.body
        ))
    }

    /// Returns the picture as a file, with the colors of the first `classes` classes.
    pub(crate) fn standalone(self, classes: usize) -> String {
        printable(&format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <svg xmlns=\"http://www.w3.org/2000/svg\" class=\"fig alone\" role=\"img\" \
             aria-label=\"{}\" viewBox=\"0 0 {w} {h}\" width=\"{}\" height=\"{}\">\n\
             <style>{STYLE}{}</style>\n<rect class=\"ground\" width=\"{w}\" height=\"{h}\"/>{}</svg>\n",
            self.label,
            short(2.0 * self.width),
            short(2.0 * self.height),
            crate::color::rules(classes),
            self.body,
            w = short(self.width),
            h = short(self.height),
        ))
    }
}

/// Escapes a text for an element or a quoted attribute.
fn escape(text: &str) -> String {
    text.render().into_string()
}

pub(crate) fn data_uri(png: &[u8]) -> String {
    use base64::Engine as _;
    format!(
        "data:image/png;base64,{}",
        base64::engine::general_purpose::STANDARD.encode(png)
    )
}

/// Formats a coordinate with one decimal, a tenth of a pixel. More would only enlarge files.
fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}
