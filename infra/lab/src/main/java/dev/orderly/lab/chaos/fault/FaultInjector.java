package dev.orderly.lab.chaos.fault;

import static dev.orderly.testkit.RunningPlatform.BROKERS;
import static dev.orderly.testkit.RunningPlatform.SERVICES;

import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.ExecutionException;

/** Injects faults, each by the family that it belongs to, and ends what it began. */
public final class FaultInjector implements AutoCloseable {
    private final Disturbances disturbances = new Disturbances();
    private final ProcessFaults processes;
    private final MembershipFaults memberships;
    private final CodeFaults code;
    private final KafkaFaults kafka;
    private final PostgresFaults postgres;
    private final RelayFaults relays;
    private final HttpFaults http;

    public FaultInjector(RunningPlatform system) {
        processes = new ProcessFaults(system, disturbances);
        memberships = new MembershipFaults(system, processes);
        code = new CodeFaults(system, processes, memberships);
        kafka = new KafkaFaults(system, processes, disturbances);
        postgres = new PostgresFaults(system);
        relays = new RelayFaults(system, disturbances);
        http = new HttpFaults(system);
    }

    /** The fault could not be injected; the reason is for the report. */
    public static final class FaultNotInjected extends Exception {
        private static final long serialVersionUID = 1L;

        FaultNotInjected(String why) {
            super(why);
        }
    }

    private interface FaultAction {
        void inject(Fault fault)
                throws InterruptedException, IOException, SQLException, ExecutionException, FaultNotInjected;
    }

    /** Returns when the fault is over; what it did to the system may last longer. */
    public void inject(Fault fault) throws InterruptedException, FaultNotInjected {
        try {
            action(fault.kind()).inject(fault);
        } catch (IOException | SQLException | ExecutionException | RuntimeException e) {
            throw new FaultNotInjected(e.toString());
        }
    }

    private FaultAction action(Fault.Kind kind) {
        return switch (kind) {
            case KILL_SERVICE, KILL_TWO_SERVICES, KILL_CONNECT, KILL_BROKER, KILL_POSTGRES, KILL_SIMULATORS ->
                fault -> processes.signal("KILL", fault.target());
            case RESTART_SERVICE, RESTART_CONNECT, RESTART_BROKER -> fault -> processes.signal("TERM", fault.target());
            case RESTART_POSTGRES -> fault -> processes.signal("INT", fault.target()); // its fast shutdown
            case PAUSE_SERVICE, PAUSE_CONNECT, PAUSE_BROKER, PAUSE_POSTGRES, PAUSE_SIMULATORS -> processes::pause;
            case KILL_ALL_SERVICES -> _ -> processes.killAll(SERVICES);
            case KILL_ALL_BROKERS -> _ -> processes.killAll(BROKERS);
            case ROLLING_BROKERS -> processes::restartBrokers;
            case HANG_MAIL -> processes::hangMail;
            case FAIL_GATEWAY -> processes::failGateway;
            case POWER_CUT ->
                fault -> {
                    memberships.endAll();
                    processes.cutPower(fault);
                };
            case SECOND_INSTANCE -> memberships::secondInstance;
            case REBALANCE_STORM -> memberships::rebalanceStorm;
            case ZOMBIE_SERVICE -> memberships::zombie;
            case CRASH_POINT -> code::crash;
            case KILL_CONTROLLER -> kafka::killController;
            case MOVE_LEADERS -> kafka::moveLeaders;
            case DUPLICATES -> kafka::republish;
            case POISON -> kafka::poison;
            case REWIND_OFFSETS -> kafka::rewind;
            case KILL_BACKENDS -> postgres::killBackends;
            case FREEZE_BACKENDS -> postgres::freezeBackends;
            case KILL_WALSENDER -> postgres::killWalsender;
            case FREEZE_WALSENDER -> postgres::freezeWalsender;
            case LOCK_TABLES -> postgres::lockTable;
            case CHANGE_TABLE -> postgres::changeTable;
            case READ_ONLY_POSTGRES -> postgres::readOnly;
            case RESTART_CONNECTOR -> relays::restart;
            case PAUSE_CONNECTOR -> relays::pause;
            case LOSE_SLOT -> relays::loseSlot;
            case SLOW_SENDERS -> http::sendSlowly;
            case HALF_HEADS -> http::sendHalfHeads;
            case NOTHING -> _ -> {};
        };
    }

    /** Keeps services mutated, in whatever processes they run, until this is closed. */
    public void mutate(Mutation mutation) {
        code.mutate(mutation);
    }

    /** The services that do not run the mutation, and why: then a clean run proves nothing. */
    public Map<String, String> unmutatedServices() {
        return code.unmutatedServices();
    }

    public Disturbances disturbances() {
        return disturbances;
    }

    /** Ends mutations and second instances. Supervisors restart processes and relays. */
    public void recover() {
        code.close();
        memberships.endAll();
    }

    @Override
    public void close() {
        recover();
        kafka.close();
    }
}
