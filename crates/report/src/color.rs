//! Color maps, and style rules for classes and lines.

/// Returns the color of the viridis map at `t` in `[0, 1]`, from dark violet to yellow.
///
/// The map is even in lightness and safe for color-blind readers. Polynomial fit by Matt Zucker
/// (public domain) of the map by Smith and van der Walt.
pub(crate) fn viridis(t: f64) -> [u8; 3] {
    polynomial(
        t,
        &[
            [0.277_727, 0.005_407, 0.334_100],
            [0.105_093, 1.404_614, 1.384_590],
            [-0.330_862, 0.214_848, 0.095_095],
            [-4.634_230, -5.799_101, -19.332_441],
            [6.228_270, 14.179_933, 56.690_553],
            [4.776_385, -13.745_145, -65.353_033],
            [-5.435_456, 4.645_853, 26.312_435],
        ],
    )
}

/// Returns the color of the magma map at `t` in `[0, 1]`, from black over purple to pale yellow.
///
/// Polynomial fit by Matt Zucker (public domain) of the map by Smith and van der Walt.
pub(crate) fn magma(t: f64) -> [u8; 3] {
    polynomial(
        t,
        &[
            [-0.002_136, -0.000_750, -0.005_386],
            [0.251_661, 0.677_523, 2.494_027],
            [8.353_717, -3.577_720, 0.314_468],
            [-27.668_733, 14.264_731, -13.649_213],
            [52.176_140, -27.943_606, 12.944_169],
            [-50.768_525, 29.046_583, 4.234_153],
            [18.655_706, -11.489_774, -5.601_962],
        ],
    )
}

fn polynomial(t: f64, coefficients: &[[f64; 3]; 7]) -> [u8; 3] {
    let t = t.clamp(0.0, 1.0);
    std::array::from_fn(|channel| {
        let value = coefficients
            .iter()
            .rev()
            .fold(0.0, |sum, c| sum * t + c[channel]);
        (255.0 * value).round().clamp(0.0, 255.0) as u8
    })
}

/// Colors of the lines of a chart, on a light and on a dark ground: the palette of Okabe and Ito,
/// which is safe for color-blind readers, lightened for the dark ground.
const SERIES: [(&str, &str); 6] = [
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#f0884b"),
    ("#00805f", "#3cc9a2"),
    ("#a8507f", "#dd8fbb"),
    ("#8a6d00", "#e0b94c"),
    ("#55585e", "#b4b7be"),
];

/// Returns the style rules that set the color `--k` of classes (`.c0`, `.c1`, ...) and lines
/// (`.s0`, ...), for light and dark grounds. Each ground leaves out the end of the map that would
/// vanish on it.
pub(crate) fn rules(classes: usize) -> String {
    let along = |class: usize, from: f64, to: f64| {
        let share = if classes < 2 {
            0.5
        } else {
            class as f64 / (classes - 1) as f64
        };
        let [r, g, b] = viridis(from + (to - from) * share);
        format!("#{r:02x}{g:02x}{b:02x}")
    };
    let mut light = String::new();
    let mut dark = String::new();
    for class in 0..classes {
        light += &format!(".c{class}{{--k:{}}}", along(class, 0.0, 0.93));
        dark += &format!(".c{class}{{--k:{}}}", along(class, 0.22, 1.0));
    }
    for (index, (on_light, on_dark)) in SERIES.iter().enumerate() {
        light += &format!(".s{index}{{--k:{on_light}}}");
        dark += &format!(".s{index}{{--k:{on_dark}}}");
    }
    format!("{light}\n@media screen and (prefers-color-scheme:dark){{{dark}}}\n")
}

/// Returns the number of the style of the `index`-th line.
pub(crate) fn series_style(index: usize) -> usize {
    index % SERIES.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maps_end_where_they_should() {
        let near = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).all(|(x, y)| x.abs_diff(y) <= 6);
        assert!(near(viridis(0.0), [68, 1, 84]) && near(viridis(1.0), [253, 231, 37]));
        assert!(near(viridis(0.5), [33, 145, 140]));
        assert!(near(magma(0.0), [0, 0, 4]) && near(magma(1.0), [252, 253, 191]));
    }

    #[test]
    fn maps_brighten_all_the_way() {
        for map in [viridis, magma] {
            let lightness = |t: f64| {
                map(t)
                    .iter()
                    .zip([0.30, 0.59, 0.11])
                    .map(|(&c, w)| f64::from(c) * w)
                    .sum::<f64>()
            };
            let values: Vec<f64> = (0..=32).map(|i| lightness(f64::from(i) / 32.0)).collect();
            assert!(
                values.windows(2).all(|pair| pair[1] > pair[0]),
                "{values:?}"
            );
        }
    }
}
