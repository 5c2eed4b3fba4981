//! Checkpoints: each is a folder that is replaced as a whole.
//!
//! `model.safetensors` holds the parameters under PyTorch's names and layouts, and `config.json`
//! the shapes. `optimizer_*.bpk` holds Adam's moments (Burn's format), and `state.json` the
//! progress of the run. Runs with a moving average of the encoder also have `target.safetensors`.
//! A new checkpoint is written next to the old one and swapped in, so that a
//! whole one exists at every moment. At worst it has the name `NAME.before`, where reading looks
//! too.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{Bytes, Device};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use tellapart_model::parameters::{ParameterValues, parameters, with_parameters};
use tellapart_model::{IoSpec, ModelConfig, Pjepa};

use crate::config::ValidConfig;
use crate::error::TrainError;
use crate::learner::Learner;
use crate::run_directory::RunDirectory;

const MOMENTS: [&str; 3] = [
    "optimizer_encoder.bpk",
    "optimizer_predictor.bpk",
    "optimizer_head.bpk",
];

/// Name of the parameters of the encoder's moving average, where a run has one.
const TARGET: &str = "target.safetensors";

/// Progress of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingState {
    /// Number of updates done.
    pub update: u64,
    /// Smallest total validation loss so far.
    pub best: Option<f32>,
    /// CPU time of training in seconds, on all threads of its pool.
    pub cpu_seconds: f64,
    /// Wall-clock time of training in seconds.
    pub wall_seconds: f64,
    /// Fingerprint of the recording that the run is trained on; `None` in a live environment.
    #[serde(default)]
    pub recording: Option<u32>,
}

/// Value of [`StoredModel::schema`].
const MODEL_SCHEMA: &str = "tellapart.model/3";

/// Description of a stored model, enough to build it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredModel {
    /// Schema, `tellapart.model/3`.
    pub schema: String,
    /// Architecture of the networks.
    pub model: ModelConfig,
    /// Shapes that the networks fit.
    pub interface: IoSpec,
    /// Shape of every parameter, by name.
    pub parameters: BTreeMap<String, Vec<usize>>,
}

/// Selection among the models that a run directory keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The newest model.
    Latest,
    /// The model of the smallest total validation loss.
    Best,
}

impl Which {
    fn folder(self) -> &'static str {
        match self {
            Self::Latest => "checkpoints/latest",
            Self::Best => "checkpoints/best",
        }
    }
}

/// Loads the model of a run, with the shapes it was stored with.
///
/// # Errors
/// There is no checkpoint, or its files are not whole.
pub fn load(run: &Path, which: Which, device: &Device) -> Result<(Pjepa, StoredModel), TrainError> {
    let folder = whole_folder(&run.join(which.folder())).ok_or_else(|| TrainError::Run {
        path: run.join(which.folder()),
        problem: "there is no checkpoint here; train the run first".to_string(),
    })?;
    let stored = read_model(&folder.join("config.json"))?;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let model = Pjepa::new(&stored.model, &stored.interface, &mut rng, device)?;
    let model = with_parameters(model, &read_tensors(&folder.join("model.safetensors"))?)?;
    Ok((model.valid(), stored))
}

/// Bytes of a model and its moments at one update. The run may go on before it is known whether the
/// model is the best one.
pub(crate) struct Snapshot {
    weights: Vec<u8>,
    /// Moving average of the encoder, if the run has one.
    average: Option<Vec<u8>>,
    moments: [Bytes; 3],
    stored: StoredModel,
}

impl Snapshot {
    /// Serializes the model and the moments of a learner.
    ///
    /// # Errors
    /// A value that cannot be turned into bytes.
    pub(crate) fn of(
        learner: &Learner,
        config: &ValidConfig,
        interface: &IoSpec,
    ) -> Result<Self, String> {
        let values = parameters(&learner.model);
        Ok(Self {
            weights: tensors_to_bytes(&values)?,
            average: learner
                .average
                .as_ref()
                .map(|average| tensors_to_bytes(&parameters(average.encoder())))
                .transpose()?,
            moments: learner.optimizers.to_bytes()?,
            stored: StoredModel {
                schema: MODEL_SCHEMA.to_string(),
                model: config.model.clone(),
                interface: *interface,
                parameters: values
                    .iter()
                    .map(|(name, value)| (name.clone(), value.shape.clone()))
                    .collect(),
            },
        })
    }

    /// Writes the latest checkpoint, and the best one as well if `best`.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub(crate) fn write(
        &self,
        directory: &RunDirectory,
        state: &TrainingState,
        best: bool,
    ) -> Result<(), TrainError> {
        // The best first: the state in `latest` holds the score of the best, so it must not be
        // ahead of it.
        let targets = if best {
            vec![Which::Best, Which::Latest]
        } else {
            vec![Which::Latest]
        };
        let (stored, state) = (to_json(&self.stored)?, to_json(state)?);
        for which in targets {
            let mut files: Vec<(&str, &[u8])> = vec![
                ("model.safetensors", &self.weights),
                ("config.json", &stored),
                ("state.json", &state),
            ];
            if which == Which::Latest {
                for (name, bytes) in MOMENTS.iter().zip(&self.moments) {
                    files.push((name, bytes));
                }
                files.extend(self.average.as_deref().map(|bytes| (TARGET, bytes)));
            }
            replace_folder(&directory.file(which.folder()), &files)?;
        }
        Ok(())
    }
}

/// Loads the latest checkpoint of a directory into the learner, if there is one.
pub(crate) fn resume(
    directory: &RunDirectory,
    learner: &mut Learner,
) -> Result<Option<TrainingState>, TrainError> {
    let Some(folder) = whole_folder(&directory.file(Which::Latest.folder())) else {
        return Ok(None);
    };
    let state: TrainingState = read_json(&folder.join("state.json"))?;
    let values = read_tensors(&folder.join("model.safetensors"))?;
    learner.model = with_parameters(learner.model.clone(), &values)?;
    if let Some(average) = learner.average.take() {
        let values = read_tensors(&folder.join(TARGET))?;
        let encoder = with_parameters(average.encoder().clone(), &values)?;
        learner.average = Some(average.with_encoder(encoder));
    }
    let mut moments = Vec::with_capacity(MOMENTS.len());
    for name in MOMENTS {
        moments.push(Bytes::from_bytes_vec(read_bytes(&folder.join(name))?));
    }
    if let Ok(moments) = <[_; 3]>::try_from(moments) {
        learner.optimizers = learner
            .optimizers
            .take()
            .with_bytes(moments)
            .map_err(|problem| TrainError::Run {
                path: folder.clone(),
                problem,
            })?;
    }
    Ok(Some(state))
}

/// Returns the folder, or else the one it was about to replace. A checkpoint counts as whole if
/// `state.json` is there.
fn whole_folder(folder: &Path) -> Option<PathBuf> {
    [folder.to_path_buf(), beside(folder, "before")]
        .into_iter()
        .find(|candidate| candidate.join("state.json").exists())
}

/// Writes all files into a new folder, then swaps it in.
fn replace_folder(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), TrainError> {
    let (next, before) = (beside(folder, "next"), beside(folder, "before"));
    let io = |action, path: &Path| {
        let path = path.to_path_buf();
        move |source| TrainError::Io {
            action,
            path,
            source,
        }
    };
    remove(&next)?;
    fs::create_dir_all(&next).map_err(io("cannot create", &next))?;
    for (name, bytes) in files {
        let path = next.join(name);
        let written = fs::File::create(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(io("cannot write", &path))?;
    }
    if folder.exists() {
        remove(&before)?;
        fs::rename(folder, &before).map_err(io("cannot move", folder))?;
    }
    fs::rename(&next, folder).map_err(io("cannot move", &next))?;
    remove(&before)
}

fn remove(folder: &Path) -> Result<(), TrainError> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(TrainError::Io {
            action: "cannot remove",
            path: folder.to_path_buf(),
            source,
        }),
        _ => Ok(()),
    }
}

fn beside(folder: &Path, suffix: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(suffix);
    folder.with_file_name(name)
}

fn tensors_to_bytes(values: &BTreeMap<String, ParameterValues>) -> Result<Vec<u8>, String> {
    let bytes: Vec<(String, Vec<u8>, Vec<usize>)> = values
        .iter()
        .map(|(name, parameter)| {
            let bytes = parameter
                .values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            (name.clone(), bytes, parameter.shape.clone())
        })
        .collect();
    let views: Result<Vec<_>, _> = bytes
        .iter()
        .map(|(name, bytes, shape)| {
            TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.as_str(), view))
        })
        .collect();
    let views = views.map_err(|error| error.to_string())?;
    safetensors::serialize(views, None).map_err(|error| error.to_string())
}

fn read_tensors(path: &Path) -> Result<BTreeMap<String, ParameterValues>, TrainError> {
    let problem = |problem: String| TrainError::Run {
        path: path.to_path_buf(),
        problem,
    };
    let bytes = read_bytes(path)?;
    let tensors = safetensors::SafeTensors::deserialize(&bytes)
        .map_err(|error| problem(error.to_string()))?;
    let mut values = BTreeMap::new();
    for (name, view) in tensors.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(problem(format!(
                "`{name}` is {:?}, expected F32",
                view.dtype()
            )));
        }
        let floats = view
            .data()
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        values.insert(
            name,
            ParameterValues {
                shape: view.shape().to_vec(),
                values: floats,
            },
        );
    }
    Ok(values)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, TrainError> {
    fs::read(path).map_err(|source| TrainError::Io {
        action: "cannot read",
        path: path.to_path_buf(),
        source,
    })
}

/// Reads `config.json`. The schema is checked first, since otherwise an error would blame fields of
/// another version.
fn read_model(path: &Path) -> Result<StoredModel, TrainError> {
    #[derive(Deserialize)]
    struct Versioned {
        schema: String,
    }
    let Versioned { schema } = read_json(path)?;
    if schema != MODEL_SCHEMA {
        return Err(TrainError::Run {
            path: path.to_path_buf(),
            problem: format!(
                "has schema {schema}, and this version reads {MODEL_SCHEMA}; train the run again"
            ),
        });
    }
    read_json(path)
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, TrainError> {
    serde_json::from_slice(&read_bytes(path)?).map_err(|error| TrainError::Run {
        path: path.to_path_buf(),
        problem: format!("not a checkpoint: {error}"),
    })
}

fn to_json(record: &impl Serialize) -> Result<Vec<u8>, TrainError> {
    serde_json::to_vec_pretty(record).map_err(|error| TrainError::Run {
        path: PathBuf::from("config.json"),
        problem: error.to_string(),
    })
}
