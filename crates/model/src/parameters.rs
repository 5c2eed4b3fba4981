//! Parameters by name, out of a model and into one.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

use crate::error::ModelError;
use crate::init::trainable;

/// One parameter's values with its shape; names and layouts are PyTorch's
/// (`encoder.convs.0.weight` is `[out, in, kh, kw]`).
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterValues {
    /// Lengths of the axes.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f32>,
}

/// All float parameters of a module by dotted name.
pub fn parameters<M: Module>(module: &M) -> BTreeMap<String, ParameterValues> {
    let mut collector = Collector {
        path: Path::default(),
        found: BTreeMap::new(),
    };
    module.visit(&mut collector);
    collector.found
}

/// Puts stored values into a module of the same configuration.
///
/// # Errors
/// A missing, superfluous or mis-shaped parameter is named.
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
        path: Path::default(),
        stored,
    }))
}

fn problem<T>(name: &str, problem: String) -> Result<T, ModelError> {
    Err(ModelError::Parameter {
        name: name.to_string(),
        problem,
    })
}

/// Where a visitor is in a module. Which variant an enum has is the configuration's business: it is
/// no part of a name.
#[derive(Default)]
struct Path(Vec<Option<String>>);

impl Path {
    fn enter(&mut self, name: &str, container: &str) {
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
    path: Path,
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
    path: Path,
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
