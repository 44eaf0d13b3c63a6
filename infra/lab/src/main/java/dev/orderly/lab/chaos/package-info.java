/**
 * Chaos runs: the whole platform under load and faults, and then a check of every promise. Nothing is
 * simulated but the world outside, and no service has a hook for it. The roles are those of <a
 * href="https://jepsen.io">Jepsen</a>.
 *
 * <p>What's here, in the order of a run:
 *
 * <ul>
 *   <li>{@link dev.orderly.lab.chaos.ChaosCommand}: options, and the run from start to report
 *   <li>workload, what clients do: {@link dev.orderly.lab.chaos.workload.Workload} draws operations from the
 *       seed, {@code ShopOperations} requests and retries them, {@link
 *       dev.orderly.lab.chaos.workload.OperationHistory} records each attempt
 *   <li>nemesis, what fails: {@code Nemesis} keeps to the schedule of {@link
 *       dev.orderly.lab.chaos.fault.Fault}s, {@link dev.orderly.lab.chaos.fault.FaultInjector} gives each
 *       kind to its family, such as {@code KafkaFaults}; {@link dev.orderly.lab.chaos.fault.CrashPoint} and
 *       {@link dev.orderly.lab.chaos.fault.Mutation} change code
 *   <li>checker, what must hold: {@link dev.orderly.lab.chaos.check.Quiescence} waits for the end of all
 *       work, {@link dev.orderly.lab.chaos.check.SnapshotReader} takes a {@link
 *       dev.orderly.lab.chaos.check.SystemSnapshot}, and each {@link dev.orderly.lab.chaos.check.Invariant}
 *       is a pure function of it, in {@code OrderChecks} and the other files of checks by subject
 *   <li>{@code ChaosReport}: tables and JSON
 * </ul>
 *
 * <p>A new kind of fault: an entry in {@code Fault.Kind} and a method in its family. A new promise: an entry
 * in {@code Invariant}, a check, and a broken snapshot in {@code InvariantTest}.
 */
package dev.orderly.lab.chaos;
