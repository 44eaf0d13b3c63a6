package dev.orderly.cli;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.ColumnData;
import com.github.freva.asciitable.HorizontalAlign;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.kafka.ConsumerGroups;
import dev.orderly.platform.kafka.ConsumerGroups.Group;
import dev.orderly.platform.process.StatusFile;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./orderly groups}. */
@Command(
        name = "groups",
        description = "Show the consumer groups: members, lag, last commit; and remove those that are dead.")
final class GroupsCommand implements Callable<Integer> {
    @Option(names = "--data", paramLabel = "DIR", description = "State folder. (default: .orderly in the checkout)")
    Path data;

    @ArgGroup(exclusive = false)
    Removal removal;

    static final class Removal {
        @Option(
                names = "--remove-dead",
                required = true,
                description = "Say which groups have no members and are not the system's own; they could be removed.")
        boolean requested;

        @Option(names = "--yes", description = "Remove them: what they have read up to is forgotten.")
        boolean confirmed;
    }

    @Override
    public Integer call() throws InterruptedException {
        Path state = Checkout.data(data);
        var running = StatusFile.running(state);
        var brokers = IntStream.rangeClosed(1, running.brokers())
                .mapToObj(
                        broker -> PlatformSettings.HOST + ":" + running.ports().internal(broker))
                .collect(Collectors.joining(","));
        var secrets = Secrets.of(state, List.of());
        try (var groups = new ConsumerGroups(Checkout.path().resolve("infra"), brokers, secrets)) {
            var listed = groups.list();
            if (removal != null) {
                return removeDead(groups, listed);
            }
            var commits = groups.lastCommits(listed.stream().map(Group::name).toList());
            System.out.println(listed.isEmpty() ? "there are no consumer groups" : table(listed, commits));
            return 0;
        }
    }

    private static String table(List<Group> groups, Map<String, Instant> commits) {
        var now = Instant.now();
        return AsciiTable.getTable(
                AsciiTable.NO_BORDERS,
                groups,
                List.of(
                        column("group", HorizontalAlign.LEFT, Group::name),
                        column(
                                "state",
                                HorizontalAlign.LEFT,
                                group -> group.state().toString().toLowerCase(Locale.ROOT)),
                        column("members", HorizontalAlign.RIGHT, group -> String.valueOf(group.members())),
                        column("lag", HorizontalAlign.RIGHT, group -> String.valueOf(group.lag())),
                        column("last commit", HorizontalAlign.RIGHT, group -> ago(commits.get(group.name()), now)),
                        column("", HorizontalAlign.LEFT, group -> group.isRemovable() ? "removable" : "")));
    }

    private static ColumnData<Group> column(String header, HorizontalAlign align, Function<Group, String> value) {
        return new Column().header(header).headerAlign(align).dataAlign(align).with(value);
    }

    private static String ago(Instant commit, Instant now) {
        if (commit == null) {
            return "never";
        }
        var age = Duration.between(commit, now);
        return age.toDays() > 0
                ? age.toDays() + " d ago"
                : "%d:%02d:%02d ago".formatted(age.toHours(), age.toMinutesPart(), age.toSecondsPart());
    }

    private int removeDead(ConsumerGroups groups, List<Group> listed) throws InterruptedException {
        var dead = listed.stream().filter(Group::isRemovable).toList();
        if (dead.isEmpty()) {
            System.out.println("there is nothing to remove: each group has members or is the system's own");
            return 0;
        }
        if (!removal.confirmed) {
            dead.forEach(group -> System.out.println("would remove " + group.name() + ", which is " + group.lag()
                    + " records behind; a reader of that name would begin again"));
            System.out.println("nothing was removed; --yes removes");
            return 0;
        }
        boolean all = true;
        for (var group : dead) {
            try {
                groups.remove(group);
                System.out.println("removed " + group.name());
            } catch (CommandFailedException e) {
                System.err.println("orderly: " + e.getMessage());
                all = false;
            }
        }
        return all ? 0 : 1;
    }
}
