//! Typed ids: small, ordered, and impossible to mix up.

use std::fmt;

use bytemuck::{Pod, Zeroable};

macro_rules! typed_id {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $name(u32);

        impl $name {
            /// Makes the id with this number.
            #[inline]
            pub const fn new(id: u32) -> Self {
                Self(id)
            }

            /// Makes the id of position `index` in an array.
            ///
            /// # Panics
            /// If `index` does not fit in 32 bits; no array of this project is that long.
            #[inline]
            pub const fn from_index(index: usize) -> Self {
                assert!(index <= u32::MAX as usize, "an id must fit in 32 bits");
                Self(index as u32)
            }

            /// Returns the id as a position in an array.
            #[inline]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// Returns the id as a number.
            #[inline]
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

typed_id!(
    /// State of a system, in `0..states`.
    StateId
);
typed_id!(
    /// Action of a system, in `0..actions`.
    ActionId
);
typed_id!(
    /// Distinct output of a system (a distinct value of the auxiliary function), in `0..outputs`.
    OutputId
);
typed_id!(
    /// Block of a partition of the states (a class), in `0..blocks`.
    BlockId
);
