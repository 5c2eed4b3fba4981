//! Reading and writing the parameters of a model by name.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

use crate::error::ModelError;
use crate::init::trainable;

/// Values and shape of one parameter. Names and layouts are PyTorch's (`encoder.convs.0.weight` is
/// `[out, in, kh, kw]`).
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterValues {
    /// Lengths of the axes.
    pub shape: Vec<usize>,
    /// Elements, row-major.
    pub values: Vec<f32>,
}

/// Returns all float parameters of a module by dotted name.
pub fn parameters<M: Module>(module: &M) -> BTreeMap<String, ParameterValues> {
    let mut collector = Collector {
        path: ModulePath::default(),
        found: BTreeMap::new(),
    };
    module.visit(&mut collector);
    collector.found
}

/// Puts stored values into a module of the same configuration.
///
/// # Errors
/// Names a missing, superfluous or mis-shaped parameter.
pub fn with_parameters<M: Module>(
    module: M,
    stored: &BTreeMap<String, ParameterValues>,
) -> Result<M, ModelError> {
    let expected = parameters(&module);
    for (name, parameter) in &expected {
        match stored.get(name) {
            None => return problem(name, "is missing".to_string()),
            Some(found) if found.shape != parameter.shape => {
                let text = format!(
                    "has shape {:?}, expected {:?}",
                    found.shape, parameter.shape
                );
                return problem(name, text);
            }
            Some(_) => {}
        }
    }
    if let Some(name) = stored.keys().find(|name| !expected.contains_key(*name)) {
        return problem(name, "is not part of this model".to_string());
    }
    Ok(module.map(&mut Loader {
        path: ModulePath::default(),
        stored,
    }))
}

fn problem<T>(name: &str, problem: String) -> Result<T, ModelError> {
    Err(ModelError::Parameter {
        name: name.to_string(),
        problem,
    })
}

/// Names of the predictor T in code and in checkpoints. Tensor names are a file format, and outlive
/// names in code.
const PREDICTOR: (&str, &str) = ("predictor", "dynamics");

/// Position of a visitor in a module. The configuration chooses the variant of an enum, so variants
/// are not part of a name.
#[derive(Default)]
struct ModulePath(Vec<Option<String>>);

impl ModulePath {
    fn enter(&mut self, name: &str, container: &str) {
        let name = if self.0.is_empty() && name == PREDICTOR.0 {
            PREDICTOR.1
        } else {
            name
        };
        self.0
            .push((!container.starts_with("Enum:")).then(|| name.to_string()));
    }

    fn exit(&mut self) {
        self.0.pop();
    }

    fn name(&self) -> String {
        self.0
            .iter()
            .flatten()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(".")
    }
}

struct Collector {
    path: ModulePath,
    found: BTreeMap<String, ParameterValues>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let values = tensor.inner().into_data().iter::<f32>().collect();
        self.found
            .insert(self.path.name(), ParameterValues { shape, values });
    }
}

struct Loader<'a> {
    path: ModulePath,
    stored: &'a BTreeMap<String, ParameterValues>,
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(stored) = self.stored.get(&self.path.name()) else {
            return param;
        };
        let device = param.val().device();
        let data = TensorData::new(stored.values.clone(), stored.shape.clone());
        trainable(param.id, data, &device)
    }
}
