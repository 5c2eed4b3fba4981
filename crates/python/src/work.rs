//! Long work: without the interpreter, on threads of this process, and ended by Ctrl-C.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::ThreadPool;
use tellapart::progress::Progress;

/// Time between two looks at signals.
const TICK: Duration = Duration::from_millis(50);

/// Does work on another thread and waits for it, with the interpreter released. Looks for signals
/// and reports progress to `callback(stage, fraction)`, if there is one. The work is asked to stop
/// if either raises.
pub(crate) fn work<T: Send>(
    py: Python<'_>,
    callback: Option<&Py<PyAny>>,
    job: impl FnOnce(&dyn Progress) -> T + Send,
) -> PyResult<T> {
    let state = State::default();
    let pool = pool()?;
    let raised = Mutex::new(None);
    let result = py.detach(|| {
        thread::scope(|scope| {
            let (done, wait) = channel();
            let state = &state;
            let worker = scope.spawn(move || {
                let result = pool.install(|| job(state));
                // The receiver waits for this, or has an exception to raise.
                let _ = done.send(());
                result
            });
            while let Err(RecvTimeoutError::Timeout) = wait.recv_timeout(TICK) {
                if state.stopped() {
                    continue;
                }
                if let Err(error) = Python::attach(|py| tell(py, callback, state)) {
                    state.stop.store(true, Ordering::Relaxed);
                    *lock(&raised) = Some(error);
                }
            }
            worker.join()
        })
    });
    if let Some(error) = lock(&raised).take() {
        return Err(error);
    }
    result.map_err(|_| PyRuntimeError::new_err("the work ended by a panic; please report it"))
}

fn tell(py: Python<'_>, callback: Option<&Py<PyAny>>, state: &State) -> PyResult<()> {
    py.check_signals()?;
    let news = lock(&state.news).take();
    if let (Some(callback), Some((stage, fraction))) = (callback, news) {
        callback.call1(py, (stage, fraction))?;
    }
    Ok(())
}

/// What the work says, and whether it should end.
#[derive(Default)]
struct State {
    stop: AtomicBool,
    /// Newest stage and its fraction, until they are told.
    news: Mutex<Option<(String, f64)>>,
}

impl Progress for State {
    fn progress(&self, stage: &str, fraction: f64) {
        *lock(&self.news) = Some((stage.to_owned(), fraction));
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the threads of this process. Those of a parent do not live on in a forked child: work
/// that waits for them would hang for ever. So each process has its own.
fn pool() -> PyResult<Arc<ThreadPool>> {
    static POOLS: OnceLock<Mutex<HashMap<u32, Arc<ThreadPool>>>> = OnceLock::new();
    let pools = POOLS.get_or_init(Mutex::default);
    let mut pools = lock(pools);
    if let Some(pool) = pools.get(&std::process::id()) {
        return Ok(Arc::clone(pool));
    }
    let built = rayon::ThreadPoolBuilder::new()
        .thread_name(|index| format!("tellapart-{index}"))
        .build();
    let pool = Arc::new(built.map_err(|error| PyRuntimeError::new_err(error.to_string()))?);
    pools.insert(std::process::id(), Arc::clone(&pool));
    Ok(pool)
}
