//! Measures what each part of the kernels buys: the time of a step without it over the time with
//! it. Needs the feature `ablation`, which puts the switches into the kernels.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tellapart_kernels::ablation::{Part, leave_out};

use crate::arguments::Arguments;
use crate::pytorch::{measured_by_child, pool, print_json, step_words};
use crate::step::whole_step;

/// Rows of the table, and the parts each leaves out.
const ROWS: [(&str, &[Part]); 12] = [
    ("Winograd 3x3", &[Part::Winograd]),
    ("strided Winograd", &[Part::StridedWinograd]),
    ("both Winograds", &[Part::Winograd, Part::StridedWinograd]),
    ("normalization while reading", &[Part::FusedPrologue]),
    ("normalization kernel", &[Part::NormActivate]),
    ("blocks of images", &[Part::ImageBlocks]),
    ("dense layers", &[Part::DenseLayers]),
    ("bounded networks", &[Part::BoundedNetworks]),
    ("Adam", &[Part::Adam]),
    ("large pages", &[Part::LargePages]),
    ("spare buffers", &[Part::SpareBuffers]),
    ("AVX-512", &[Part::Avx512]),
];

const STEPS: [&str; 3] = ["update", "cnn", "resnet"];

/// Returns the settings of a kind of step; the kinds are numbered from 1.
fn words(kind: usize, precision: &str) -> Vec<String> {
    match kind {
        1 => vec![
            "target.kind=reward".to_owned(),
            format!("model.precision={precision}"),
        ],
        _ => step_words(STEPS[kind - 1], precision),
    }
}

/// Measures an update of the default recipe, and the steps of `pytorch` with `cnn` and with
/// `resnet`. The inputs are made beforehand. For each part it measures a step without the part
/// between two as it is, and prints the ratio: median of all repeats [least, most]. Above 1 the
/// part pays. Options: `--repeats`, `--millis` (least length of a measurement), `--threads`, and
/// `--only N` for one kind of step (1 to 3).
pub(crate) fn run(mut arguments: Arguments) -> Result<(), String> {
    let repeats = arguments.take("repeats", 5)?;
    let millis = arguments.take("millis", 200)?;
    let threads = arguments.take("threads", 1)?;
    let only = arguments.take("only", 0)?;
    arguments.finish()?;
    if only > STEPS.len() {
        return Err(format!("--only must be at most {}", STEPS.len()));
    }
    println!(
        "time of a step without a part / as it is; {threads} thread(s), median of {repeats} \
         repeats [least, most]"
    );
    for kind in 1..=STEPS.len() {
        if only == 0 || only == kind {
            pool(threads)?.install(|| table(kind, repeats, millis))?;
            allocator(kind, repeats, millis, threads)?;
        }
    }
    Ok(())
}

/// Prints what can be switched within one process.
fn table(kind: usize, repeats: usize, millis: usize) -> Result<(), String> {
    let least = Duration::from_millis(millis as u64);
    leave_out(&[]);
    let mut step = whole_step(&words(kind, "f32"))?;
    let mut in_bf16 = whole_step(&words(kind, "bf16"))?;
    let mut before = milliseconds(&mut *step, least);
    let mut as_it_is = vec![before];
    let mut ratios = [const { Vec::new() }; ROWS.len() + 1];
    for _ in 0..repeats {
        for (row, ratios) in ratios.iter_mut().enumerate() {
            let (parts, job) = match ROWS.get(row) {
                Some((_, parts)) => (*parts, &mut step),
                None => (&[][..], &mut in_bf16),
            };
            leave_out(parts);
            let changed = milliseconds(&mut **job, least);
            leave_out(&[]);
            let after = milliseconds(&mut *step, least);
            ratios.push(changed / (0.5 * (before + after)));
            as_it_is.push(after);
            before = after;
        }
    }
    let name = STEPS[kind - 1];
    println!("{name}: {} ms as it is", Spread::of(as_it_is).text(1));
    let labels = ROWS.iter().map(|(label, _)| format!("without {label}"));
    let labels = labels.chain(["with bf16".to_owned()]);
    for (label, ratios) in labels.zip(ratios) {
        println!("  {label:<36} {}", Spread::of(ratios).text(3));
    }
    Ok(())
}

/// Prints what the allocator's kept memory buys, which takes a process for each measurement.
fn allocator(kind: usize, repeats: usize, millis: usize, threads: usize) -> Result<(), String> {
    let measured = |keeps: usize| {
        let options = [
            ("--kind", kind),
            ("--keeps", keeps),
            ("--millis", millis),
            ("--threads", threads),
        ];
        measured_by_child::<Child>("ablation-child", &options).map(|child| child.milliseconds)
    };
    let mut ratios = Vec::new();
    for _ in 0..repeats {
        let as_it_is = measured(1)?;
        ratios.push(measured(0)? / as_it_is);
    }
    let label = "without memory the allocator keeps";
    println!("  {label:<36} {}", Spread::of(ratios).text(3));
    Ok(())
}

/// Output of a process that measured steps.
#[derive(Serialize, Deserialize)]
struct Child {
    milliseconds: f64,
}

/// Measures a step in the process that `ablation` starts for it, and prints one line of JSON.
pub(crate) fn run_child(mut arguments: Arguments) -> Result<(), String> {
    let kind = arguments.take("kind", 1)?.min(STEPS.len());
    let keeps = arguments.switch("keeps", true)?;
    let least = Duration::from_millis(arguments.take("millis", 200)? as u64);
    let threads = arguments.take("threads", 1)?;
    arguments.finish()?;
    leave_out(if keeps { &[] } else { &[Part::FreedMemory] });
    let milliseconds = pool(threads)?.install(|| {
        let mut step = whole_step(&words(kind, "f32"))?;
        // The first steps find out how much memory there must be.
        step();
        step();
        Ok::<_, String>(milliseconds(&mut *step, least))
    })?;
    print_json(&Child { milliseconds })
}

/// Returns the mean time of a step, after one that is not counted.
fn milliseconds(step: &mut dyn FnMut(), least: Duration) -> f64 {
    step();
    let start = Instant::now();
    let mut calls = 0;
    while start.elapsed() < least {
        step();
        calls += 1;
    }
    start.elapsed().as_secs_f64() * 1e3 / f64::from(calls)
}

/// Least, median and most of some measurements.
struct Spread([f64; 3]);

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[(share * (values.len() - 1) as f64).round() as usize];
        Self([0.0, 0.5, 1.0].map(at))
    }

    fn text(&self, digits: usize) -> String {
        let [least, middle, most] = self.0;
        format!("{middle:.digits$} [{least:.digits$}, {most:.digits$}]")
    }
}
