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
use safetensors::{SafeTensorError, SafeTensors};
use serde::{Deserialize, Serialize};
use tellapart_model::parameters::{ParameterValues, parameters, with_parameters};
use tellapart_model::{IoSpec, ModelConfig, Pjepa};

use crate::config::ValidConfig;
use crate::error::TrainError;
use crate::learner::Learner;
use crate::run_directory::RunDirectory;

const WEIGHTS: &str = "model.safetensors";
const MODEL: &str = "config.json";
const STATE: &str = "state.json";
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
/// There is no checkpoint, or [`TrainError::Damaged`] names the file that is not whole.
pub fn load(run: &Path, which: Which, device: &Device) -> Result<(Pjepa, StoredModel), TrainError> {
    let advice = match which {
        Which::Latest => {
            "restore it from a copy, put the folder checkpoints/best in place of checkpoints/latest, \
             or train the run again"
        }
        Which::Best => "restore it from a copy, use checkpoints/latest, or train the run again",
    };
    let folder = run.join(which.folder());
    let files = CheckpointFiles::find(&folder, advice).ok_or_else(|| TrainError::Run {
        path: folder,
        problem: "there is no checkpoint here; train the run first".to_string(),
    })?;
    let stored = files.model()?;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let model = Pjepa::new(&stored.model, &stored.interface, &mut rng, device)
        .map_err(|error| files.damaged(MODEL, error.to_string()))?;
    let model = files.with_weights(WEIGHTS, model)?;
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
            let mut files: Vec<(&str, &[u8])> =
                vec![(WEIGHTS, &self.weights), (MODEL, &stored), (STATE, &state)];
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

/// Ends the replacements of folders that were cut off, so that each kind of checkpoint has one
/// folder.
///
/// # Errors
/// Those of the system.
pub(crate) fn settle(directory: &RunDirectory) -> Result<(), TrainError> {
    for which in [Which::Latest, Which::Best] {
        let folder = directory.file(which.folder());
        let (next, before) = (beside(&folder, "next"), beside(&folder, "before"));
        remove(&next)?;
        if folder.exists() {
            remove(&before)?;
        } else if before.exists() {
            fs::rename(&before, &folder).map_err(|source| TrainError::Io {
                action: "cannot move",
                path: before,
                source,
            })?;
        }
    }
    Ok(())
}

/// Loads the latest checkpoint of a directory into the learner, if there is one.
///
/// # Errors
/// [`TrainError::Damaged`] names the file that is not whole.
pub(crate) fn resume(
    directory: &RunDirectory,
    learner: &mut Learner,
) -> Result<Option<TrainingState>, TrainError> {
    let folder = directory.file(Which::Latest.folder());
    // The best checkpoint is of no use here: it has no moments.
    let advice = "restore it from a copy, or train the run again in another folder";
    let Some(files) = CheckpointFiles::find(&folder, advice) else {
        return Ok(None);
    };
    let state: TrainingState = files.json(STATE)?;
    let model = files.with_weights(WEIGHTS, learner.model.clone())?;
    if let Some(average) = learner.average.take() {
        let encoder = files.with_weights(TARGET, average.encoder().clone())?;
        learner.average = Some(average.with_encoder(encoder));
    }
    let [encoder, predictor, head] = MOMENTS.map(|name| files.bytes(name));
    let moments = [encoder?, predictor?, head?].map(Bytes::from_bytes_vec);
    learner.optimizers = learner
        .optimizers
        .take()
        .with_bytes(moments)
        .map_err(|(network, problem)| files.damaged(MOMENTS[network], problem))?;
    learner.model = model;
    Ok(Some(state))
}

/// Files of one stored checkpoint.
struct CheckpointFiles {
    folder: PathBuf,
    /// What to do if one of the files is damaged.
    advice: &'static str,
}

impl CheckpointFiles {
    /// Finds the files in the folder, or else in the one it was about to replace. A checkpoint
    /// counts as whole if `state.json` is there.
    fn find(folder: &Path, advice: &'static str) -> Option<Self> {
        let folder = [folder.to_path_buf(), beside(folder, "before")]
            .into_iter()
            .find(|candidate| candidate.join(STATE).exists())?;
        Some(Self { folder, advice })
    }

    fn damaged(&self, name: &str, problem: String) -> TrainError {
        TrainError::Damaged {
            path: self.folder.join(name),
            problem,
            advice: self.advice,
        }
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, TrainError> {
        let path = self.folder.join(name);
        fs::read(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => self.damaged(name, "it is missing".to_string()),
            _ => TrainError::Io {
                action: "cannot read",
                path,
                source,
            },
        })
    }

    fn json<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<T, TrainError> {
        serde_json::from_slice(&self.bytes(name)?)
            .map_err(|error| self.damaged(name, error.to_string()))
    }

    /// Reads `config.json`. The schema is checked first, since otherwise an error would blame
    /// fields of another version.
    fn model(&self) -> Result<StoredModel, TrainError> {
        #[derive(Deserialize)]
        struct Versioned {
            schema: String,
        }
        let Versioned { schema } = self.json(MODEL)?;
        if schema != MODEL_SCHEMA {
            return Err(TrainError::Run {
                path: self.folder.join(MODEL),
                problem: format!(
                    "has schema {schema}, and this version reads {MODEL_SCHEMA}; train the run again"
                ),
            });
        }
        self.json(MODEL)
    }

    /// Reads the weights in a file into a module of the same shapes.
    fn with_weights<M: Module>(&self, name: &str, module: M) -> Result<M, TrainError> {
        let values = tensors_from_bytes(&self.bytes(name)?)
            .map_err(|problem| self.damaged(name, problem))?;
        with_parameters(module, &values).map_err(|error| self.damaged(name, error.to_string()))
    }
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

fn tensors_from_bytes(bytes: &[u8]) -> Result<BTreeMap<String, ParameterValues>, String> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| match error {
        SafeTensorError::HeaderTooSmall | SafeTensorError::InvalidHeaderLength => {
            "it ends within its header".to_string()
        }
        SafeTensorError::MetadataIncompleteBuffer => "its tensors do not fill it".to_string(),
        other => other.to_string(),
    })?;
    let mut values = BTreeMap::new();
    for (name, view) in tensors.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(format!("`{name}` is {:?}, expected F32", view.dtype()));
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

fn to_json(record: &impl Serialize) -> Result<Vec<u8>, TrainError> {
    serde_json::to_vec_pretty(record).map_err(|error| TrainError::Run {
        path: PathBuf::from(MODEL),
        problem: error.to_string(),
    })
}
