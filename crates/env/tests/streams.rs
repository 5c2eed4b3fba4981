//! Guards against a silent change of all recorded values: a digest of what each world shows.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use tellapart_env::{EnvError, RepeatedRandom, Rollout, Row, WorldOptions, counting, grid, torus};
use tellapart_system::StateId;

/// Hashes frames, outcomes, actions and nuisances of 40 rows of three environments (FNV-1a).
fn digest(options: WorldOptions, starts: Vec<StateId>) -> u64 {
    let world = options.validate().unwrap().build(23, 3);
    let policy = RepeatedRandom::with_repeat(world.action_space(), 23, 3, 2);
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut rollout = Rollout::new(world, policy).starting_at(starts);
    let sink = |row: Row<'_>| -> Result<(), EnvError> {
        let mut values = Vec::new();
        (0..3).for_each(|copy| row.world.push_nuisances(copy, &mut values));
        let text = format!("{values:?} {:?} {:?}", row.outcomes, row.actions);
        for byte in row.frames.iter().copied().chain(text.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    };
    rollout.run(40, sink).unwrap();
    hash
}

#[test]
fn what_a_seed_shows_does_not_change() {
    let no_ops = counting::Options {
        actions: "one-hot-3".parse().unwrap(),
        value: counting::Value::Dense,
        start_count: Some(3),
        max_steps: 9,
        ..Default::default()
    };
    let crowd = counting::Options {
        max_count: 255,
        image_side: 32,
        placement_tries: 2,
        ..Default::default()
    };
    let noisy = grid::Options {
        noise: 7,
        stay: true,
        goal_visible: false,
        ..Default::default()
    };
    let lattice = torus::Options {
        p: torus::Function::Lattice,
        noise: 1,
        max_steps: 5,
        ..Default::default()
    };
    let worlds = [
        WorldOptions::Counting(counting::Options::default()),
        WorldOptions::Counting(no_ops),
        WorldOptions::Counting(crowd),
        WorldOptions::Grid(grid::Options::default()),
        WorldOptions::Grid(noisy),
        WorldOptions::Torus(torus::Options::default()),
        WorldOptions::Torus(lattice),
    ];
    let found = worlds.map(|options| {
        let starts = [0, 5, 2].map(StateId::new).to_vec();
        [digest(options.clone(), Vec::new()), digest(options, starts)]
    });
    assert_eq!(found, DIGESTS, "{found:#018x?}");
}

/// Of each world: where it begins by chance, and in chosen states.
const DIGESTS: [[u64; 2]; 7] = [
    [0x1551_8ad2_bb94_4f5e, 0x510e_ffc0_71f4_8960],
    [0x195f_6f25_2222_cc8a, 0x869c_3777_ac02_754a],
    [0x29f8_4737_2ecf_fbb6, 0x8382_919f_9686_ec00],
    [0xe949_7514_308f_608c, 0xb70a_fa98_bd81_e636],
    [0xc804_ce1e_e4bd_be82, 0x2012_c4a7_3581_980f],
    [0x3dd3_b553_e058_420f, 0x514f_ad84_0786_7166],
    [0xdc1a_58f7_9fb7_b5a6, 0xbd92_e076_3d11_a5db],
];
