//! `train`, `reproduce` and `report`, with networks and worlds as small as can be.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::run::Folder;

/// Words that make any run tiny.
const TINY: &str = "environment.image_side=16 environment.radius=1 environment.min_distance=3 \
    environment.max_count=2 environment.target=1 data.window=16 model.latent=4 model.hidden=8 \
    target.width=3 optimizer.updates=6 optimizer.warmup=2 evaluation.log_every=2 evaluation.every=3 \
    evaluation.validation_per_state=4 evaluation.held_out_per_state=8 evaluation.horizon_steps=3 \
    decoder.updates=2 decoder.batch=8";

fn json(folder: &Folder, file: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.path(file)).unwrap()).unwrap()
}

/// A summary without what differs from run to run: times and memory.
fn without_times(mut summary: Value) -> Value {
    summary["peak_memory_mib"] = Value::Null;
    for run in summary["runs"].as_array_mut().unwrap() {
        run["train_cpu_seconds"] = Value::Null;
        run["train_wall_seconds"] = Value::Null;
    }
    summary
}

#[test]
fn reproduce_writes_what_it_promises_and_the_same_on_any_number_of_cores() {
    let folder = Folder::new();
    let said = folder.fine(&format!(
        "reproduce counting --seeds 2 --jobs 2 --out two {TINY}"
    ));
    for name in [
        "joint-reward",
        "joint-random",
        "reward-only",
        "dynamics-only",
    ] {
        assert!(said.contains(name), "{name} in {said}");
        for file in [
            "config.toml",
            "metrics.csv",
            "summary.json",
            "report.html",
            "environment.json",
        ] {
            let path = folder.path(&format!("two/seed-2/{name}/{file}"));
            assert!(path.is_file(), "{}", path.display());
        }
        let model = format!("two/seed-1/{name}/checkpoints/latest/model.safetensors");
        assert!(folder.path(&model).is_file());
        assert!(
            folder
                .path(&format!("two/figures/{name}-scatter.svg"))
                .is_file()
        );
    }
    let summary = json(&folder, "two/summary.json");
    assert_eq!(summary["schema"], "tellapart.reproduce/2");
    assert_eq!(summary["largest_bisimulation"]["classes"], 3);
    assert_eq!(summary["runs"].as_array().unwrap().len(), 8);
    for field in [
        "name",
        "seed",
        "encoder",
        "updates",
        "train_cpu_seconds",
        "train_wall_seconds",
        "nearest_centroid_accuracy",
        "silhouette",
        "closest_gap_over_mean_gap",
        "spread_over_closest_gap",
        "relative_spread",
        "merged_pairs",
        "open_loop_accuracy",
        "rankme",
    ] {
        assert!(summary["runs"][0].get(field).is_some(), "{field}");
    }
    // Each run is audited without truth, too.
    assert!(said.contains("Without truth: "), "{said}");
    let page = std::fs::read_to_string(folder.path("two/report.html")).unwrap();
    assert!(page.contains("Without the truth"));
    for run in summary["runs"].as_array().unwrap() {
        let found = &run["without_truth"];
        assert_eq!(found["rows"], 32, "{run}");
        assert_eq!(
            found["closest_pairs"].is_null(),
            run["name"] == "joint-random"
        );
    }

    folder.fine(&format!(
        "reproduce counting --seeds 2 --jobs 1 --out one {TINY}"
    ));
    assert_eq!(
        without_times(json(&folder, "one/summary.json")),
        without_times(summary.clone())
    );

    // A finished experiment is not overwritten; resuming it finds nothing to train.
    let again = folder.error(2, &format!("reproduce counting --seeds 2 --out two {TINY}"));
    assert!(again.contains("another folder"), "{again}");
    folder.fine(&format!(
        "reproduce counting --seeds 2 --resume --out two {TINY}"
    ));
    assert_eq!(
        without_times(json(&folder, "two/summary.json")),
        without_times(summary)
    );
    let other = folder.error(
        2,
        &format!("reproduce counting --seeds 2 --resume --out two {TINY} loss.latent_noise=1"),
    );
    assert!(other.contains("began with other settings"), "{other}");
}

/// With L_dyn alone everything collapses; joint training keeps all three counts apart.
#[test]
fn an_audit_without_truth_tells_known_collapse_from_health() {
    let folder = Folder::new();
    // Measured for seeds 1 to 5: these verdicts each time, with 8 to 19 of 32 rows merged.
    let said = folder.fine(&format!(
        "reproduce counting --quick --first-seed 2 --out known {TINY} optimizer.updates=300 \
         evaluation.every=100 evaluation.log_every=100"
    ));
    let summary = json(&folder, "known/summary.json");
    let run = |name: &str| {
        let runs = summary["runs"].as_array().unwrap();
        runs.iter().find(|run| run["name"] == name).unwrap()
    };
    let collapsed = run("dynamics-only");
    assert_eq!(collapsed["merged_pairs"].as_array().unwrap().len(), 3);
    assert_eq!(collapsed["without_truth"]["verdict"], "unhealthy");
    assert_eq!(collapsed["without_truth"]["agrees_with_truth"], true);
    let healthy = run("joint-reward");
    assert_eq!(healthy["merged_pairs"].as_array().unwrap().len(), 0);
    assert_eq!(healthy["without_truth"]["verdict"], "healthy");
    assert_eq!(healthy["without_truth"]["agrees_with_truth"], true);
    for name in ["dynamics-only, seed 2, is", "joint-reward, seed 2, is"] {
        assert!(!said.contains(name), "no disagreement to tell: {said}");
    }
}

#[test]
fn one_run_alone_and_a_page_of_several() {
    let folder = Folder::new();
    folder.write(
        "run.toml",
        "name = \"mine\"\n[gradients]\ndynamics = false\n",
    );
    let said = folder.fine(&format!("train run.toml {TINY}"));
    assert!(said.contains("nearest centroid"), "{said}");
    assert_eq!(
        json(&folder, "runs/mine-seed-1/summary.json")["name"],
        "mine"
    );
    folder.fine(&format!(
        "train run.toml {TINY} seed=2 model.predictor=plain model.head=plain --out other"
    ));
    let config = std::fs::read_to_string(folder.path("other/config.toml")).unwrap();
    assert!(config.contains("predictor = \"plain\""), "{config}");
    folder.fine("report runs/mine-seed-1 other --out page.html");
    assert!(
        std::fs::read_to_string(folder.path("page.html"))
            .unwrap()
            .contains("mine")
    );
    assert!(
        folder
            .error(2, "report runs --out p.html")
            .contains("no config.toml")
    );
    assert!(
        folder
            .error(2, "report other --out page.html")
            .contains("--force")
    );
}

#[test]
fn recorded_data_can_be_trained_on() {
    let folder = Folder::new();
    folder.fine(
        "collect counting --episodes 40 --out data.npz image_side=16 radius=1 min_distance=3",
    );
    folder.write(
        "run.toml",
        "name = \"recorded\"\n[data]\nsource = \"data.npz\"\naction_rule = \"sign\"\n",
    );
    let said = folder.fine(&format!("train run.toml {TINY} data.windows=2"));
    assert!(said.contains("held-out"), "{said}");
    let summary = json(&folder, "runs/recorded-seed-1/summary.json");
    assert!(summary["held_out_loss_auxiliary"].is_number(), "{summary}");
    folder.fine(&format!("train run.toml {TINY} data.held_out=0 --out all"));
    assert!(json(&folder, "all/summary.json")["held_out_loss_dynamics"].is_null());
    let missing = folder.error(
        2,
        &format!("train run.toml {TINY} target.kind=array target.array=nothing --out b"),
    );
    assert!(missing.contains("nothing"), "{missing}");
    let short = folder.error(
        2,
        &format!("train run.toml {TINY} data.window=4000 data.replay_rows=4000 --out c"),
    );
    assert!(short.contains("4000"), "{short}");
}

/// Longest wait for the first checkpoint of a tiny run. It takes about a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a run that would take for ever, and interrupts it once it has a checkpoint. Returns the
/// words that started it.
fn interrupted(folder: &Folder) -> String {
    folder.write("run.toml", "name = \"long\"\n");
    let words = format!("train run.toml {TINY} optimizer.updates=100000 --out long");
    let mut child = folder
        .command(&words)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let checkpoint = folder.path("long/checkpoints/latest/state.json");
    let start = Instant::now();
    let is_running = |child: &mut Child| child.try_wait().unwrap().is_none();
    while !checkpoint.exists() && is_running(&mut child) && start.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(50));
    }
    let came = checkpoint.exists();
    let signal = if came { "-TERM" } else { "-KILL" };
    let kill = std::process::Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let seconds = start.elapsed().as_secs();
    assert!(
        came,
        "no checkpoint came in {seconds} s, so there is no run to interrupt: {said}"
    );
    assert!(kill.unwrap().success());
    assert_eq!(output.status.code(), Some(1), "{said}");
    words
}

#[test]
fn an_interrupted_run_keeps_a_checkpoint_and_is_continued() {
    let folder = Folder::new();
    let words = interrupted(&folder);
    let state: Value = json(&folder, "long/checkpoints/latest/state.json");
    assert!(state["update"].as_u64().unwrap() > 0);
    let refused = folder.error(2, &words);
    assert!(refused.contains("--resume"), "{refused}");
}

#[test]
fn resuming_where_no_run_is_begins_none() {
    let folder = Folder::new();
    folder.write("run.toml", "");
    std::fs::create_dir_all(folder.path("empty/seed-1/joint-reward")).unwrap();
    let before = folder.names();
    for command in ["train run.toml", "reproduce counting --seeds 2"] {
        for out in ["nowhere", "empty", "nowhere/deeper"] {
            let words = format!("{command} --resume --out {out} {TINY}");
            let said = folder.error(2, &words);
            assert!(
                said.contains(&format!("{out}: there is no run here")),
                "{said}"
            );
            assert!(said.contains("leave out --resume"), "{said}");
        }
    }
    let said = folder.error(2, &format!("train run.toml --resume {TINY}"));
    assert!(
        said.contains("runs/joint-reward-seed-1: there is no run"),
        "{said}"
    );
    assert_eq!(folder.names(), before);
}

#[test]
fn an_experiment_with_some_of_its_runs_is_resumed() {
    let folder = Folder::new();
    folder.fine(&format!("reproduce counting --out some {TINY}"));
    for gone in ["summary.json", "seed-1/dynamics-only/summary.json"] {
        std::fs::remove_file(folder.path(&format!("some/{gone}"))).unwrap();
    }
    std::fs::remove_dir_all(folder.path("some/seed-1/joint-random")).unwrap();
    // A second seed is begun, too.
    folder.fine(&format!(
        "reproduce counting --seeds 2 --resume --out some {TINY}"
    ));
    let runs = json(&folder, "some/summary.json")["runs"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(runs, 8);
}

#[test]
fn a_full_disk_is_an_error_that_names_the_file_and_leaves_the_last_checkpoint_whole() {
    let folder = Folder::new();
    let words = interrupted(&folder);
    let before: Value = json(&folder, "long/checkpoints/latest/state.json");
    // Less than a checkpoint takes.
    let mut short_of_space = folder.command_short_of_space(64, &format!("{words} --resume"));
    let output = short_of_space.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot write long/checkpoints/"), "{said}");
    let after: Value = json(&folder, "long/checkpoints/latest/state.json");
    assert_eq!(before, after);
    folder.fine("inspect long/checkpoints/latest/model.safetensors");

    let collect = "collect counting --episodes 100 --out data.npz";
    let output = folder.command_short_of_space(64, collect).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("data.npz"), "{said}");
    assert!(!folder.names().iter().any(|name| name.contains("data")));
}

#[test]
fn a_recording_of_the_gridworld_can_be_trained_on() {
    let folder = Folder::new();
    folder.fine("collect gridworld --episodes 40 --out grid.npz");
    folder.write("run.toml", "[data]\nsource = \"grid.npz\"\n");
    folder.fine("train run.toml optimizer.updates=3 decoder.updates=0 --out run");
    let summary = json(&folder, "run/summary.json");
    assert_eq!(summary["schema"], "tellapart.run/1");
    // An image of one cell is too small for the encoders.
    folder.fine("collect gridworld view_radius=0 --episodes 40 --out small.npz");
    let said = folder.error(2, "train run.toml data.source=small.npz --out small");
    assert!(said.contains("8x8x3") && said.contains("16x16"), "{said}");
}

#[test]
fn what_cannot_be_run_is_said_in_one_sentence() {
    let folder = Folder::new();
    folder.write("run.toml", "[optimizer]\nlearning_rat = 1.0\n");
    folder.write("fine.toml", "");
    folder.write("file", "");
    std::fs::create_dir(folder.path("folder.toml")).unwrap();
    for (words, expected) in [
        ("train run.toml", "did you mean `optimizer.learning_rate`"),
        ("train missing.toml", "missing.toml"),
        ("train folder.toml", "folder.toml"),
        ("train fine.toml optimizer.updates=0", "expected at least 1"),
        ("train fine.toml model.latent=5", "even"),
        ("train fine.toml model.encoder=vits", "vits"),
        (
            "train fine.toml data.source=nowhere.npz --out n",
            "nowhere.npz",
        ),
        ("train fine.toml --device tpu --out d", "tpu"),
        ("train fine.toml --device wgpu --out e", "--features wgpu"),
        ("train fine.toml nonsense", "key.path=value"),
        ("reproduce nothing", "counting"),
        ("reproduce counting --seeds 0", "0"),
        ("reproduce counting environment.max_count=0", "max_count"),
        ("reproduce counting --jobs 0", "0"),
        ("reproduce counting seed=9", "--first-seed"),
        (
            "reproduce counting environment.image_side=20",
            "multiples of 8",
        ),
        ("train fine.toml name=../x", "without slashes"),
        ("train fine.toml data.window=1000000000000", "data.window"),
    ] {
        let said = folder.error(2, words);
        assert!(said.contains(expected), "{words}: {said}");
    }
    // A file where a folder should be.
    let said = folder.run("train fine.toml --out file/run").err;
    assert!(said.contains("file/run"), "{said}");
}

/// Every key of docs/configuration.md, also those that are absent by default.
#[test]
fn every_documented_key_is_known() {
    let folder = Folder::new();
    folder.write("run.toml", "");
    let page = std::fs::read_to_string(crate::markdown::root().join("docs/configuration.md"));
    let (mut table, mut tried) = (None, 0);
    for line in page.unwrap().lines() {
        if line.starts_with('#') {
            let named = line.split('`').nth(1);
            let name = named.and_then(|name| name.strip_prefix('[')?.strip_suffix(']'));
            let is_top = line == "## Top level";
            table = name
                .map(|name| format!("{name}."))
                .or(is_top.then(String::new));
        }
        let key = line
            .strip_prefix("| `")
            .and_then(|rest| rest.split('`').next());
        if let (Some(table), Some(key)) = (&table, key) {
            let ran = folder.run(&format!("train run.toml {table}{key}=? --print-config"));
            let unknown = format!("there is no key `{table}{key}`");
            assert!(!ran.err.contains(&unknown), "{ran:?}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
}
