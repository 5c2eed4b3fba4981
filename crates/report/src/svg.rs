use crate::text::escape;

/// Style of everything inside a figure, also put into stand-alone files.
pub(crate) const STYLE: &str = include_str!("figure.css");

/// Grows one SVG picture. Attributes given as text are escaped, numbers need not be.
pub(crate) struct Svg {
    body: String,
    width: f64,
    height: f64,
    label: String,
}

impl Svg {
    /// `label` is what a reader who cannot see the picture is told.
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

    /// An open line through the points; a break wherever one is `None`. A point between two breaks
    /// is drawn as a dot by its round cap.
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

    /// `class` also carries the anchor: `start` (default), `middle` or `end`.
    pub(crate) fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        self.body += &format!(
            "<text class=\"{}\" x=\"{}\" y=\"{}\">{}</text>",
            escape(class),
            short(x),
            short(y),
            escape(text)
        );
    }

    /// A PNG, stretched to the box with hard pixel edges.
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

    /// Begins a group with these attributes, markup of our own; [`Svg::close`] ends it.
    pub(crate) fn open(&mut self, attributes: &str) {
        self.body += &format!("<g {attributes}>");
    }

    /// Ends a group.
    pub(crate) fn close(&mut self) {
        self.body += "</g>";
    }

    /// For a page that already has the style.
    pub(crate) fn inline(self) -> String {
        format!(
            "<svg class=\"fig\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {} {}\">{}</svg>",
            self.label,
            short(self.width),
            short(self.height),
            self.body
        )
    }

    /// For a file of its own, with the colours of that many classes.
    pub(crate) fn standalone(self, classes: usize) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <svg xmlns=\"http://www.w3.org/2000/svg\" class=\"fig alone\" role=\"img\" \
             aria-label=\"{}\" viewBox=\"0 0 {w} {h}\" width=\"{}\" height=\"{}\">\n\
             <style>{STYLE}{}</style>\n<rect class=\"ground\" width=\"{w}\" height=\"{h}\"/>{}</svg>\n",
            self.label,
            short(2.0 * self.width),
            short(2.0 * self.height),
            crate::colour::rules(classes),
            self.body,
            w = short(self.width),
            h = short(self.height),
        )
    }
}

pub(crate) fn data_uri(png: &[u8]) -> String {
    use base64::Engine as _;
    format!(
        "data:image/png;base64,{}",
        base64::engine::general_purpose::STANDARD.encode(png)
    )
}

/// One decimal is a tenth of a pixel; more only makes files large.
fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}
