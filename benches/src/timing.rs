//! Interleaves repeated measurements of several jobs.

use std::time::{Duration, Instant};

/// Wall times per call of one job, one for each repeat, ascending.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn median(&self) -> Duration {
        self.quantile(0.5)
    }

    /// Returns the measurement nearest to a quantile, without interpolation.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0
            .get((share * last as f64).round() as usize)
            .copied()
            .unwrap_or_default()
    }
}

/// Times each of `jobs` in turn for `repeats` rounds, so that a disturbance of the machine affects
/// all alike. In a round a job runs for at least `least`, and the mean of its calls is kept. One
/// warm-up round is not counted.
pub(crate) fn side_by_side<const N: usize>(
    repeats: usize,
    least: Duration,
    mut jobs: [&mut dyn FnMut(); N],
) -> [Times; N] {
    let mut times = [const { Vec::new() }; N];
    for round in 0..=repeats {
        for (job, times) in jobs.iter_mut().zip(&mut times) {
            let start = Instant::now();
            let mut calls = 0;
            while start.elapsed() < least {
                job();
                calls += 1;
            }
            if round > 0 {
                times.push(start.elapsed() / calls);
            }
        }
    }
    times.map(|mut times| {
        times.sort();
        Times(times)
    })
}
