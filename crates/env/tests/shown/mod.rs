//! A world with buffers, which hold what it last showed.

use tellapart_env::{Action, BatchEnvironment, Outcome};

pub(crate) struct Shown<W> {
    pub(crate) world: W,
    pub(crate) frames: Vec<u8>,
    pub(crate) outcomes: Vec<Outcome>,
}

impl<W: BatchEnvironment> Shown<W> {
    pub(crate) fn new(world: W) -> Self {
        // Rubbish in the buffer must not matter: a step writes every byte.
        let frames = vec![0xAB; world.len() * world.frame_bytes()];
        let outcomes = vec![Outcome::default(); world.len()];
        Self {
            world,
            frames,
            outcomes,
        }
    }

    pub(crate) fn reset(&mut self) -> &mut Self {
        self.world
            .reset(&mut self.frames, &mut self.outcomes)
            .unwrap();
        self
    }

    pub(crate) fn step(&mut self, actions: &[Action]) -> &mut Self {
        self.world
            .step(actions, &mut self.frames, &mut self.outcomes)
            .unwrap();
        self
    }

    pub(crate) fn frame(&self, copy: usize) -> &[u8] {
        let bytes = self.world.frame_bytes();
        &self.frames[copy * bytes..][..bytes]
    }
}
