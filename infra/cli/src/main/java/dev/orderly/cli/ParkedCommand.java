package dev.orderly.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.ColumnData;
import com.github.freva.asciitable.HorizontalAlign;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.operations.AccessTokens;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.StatusFile;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code ./orderly parked}: the events that could not take effect, of all services, and what an operator can
 * do about them. A client of the services' {@code /parked-events}, which do the work and record it.
 */
@Command(
        name = "parked",
        description = "Events that could not take effect: list, show, redrive, discard.",
        subcommands = {
            ParkedCommand.ListAll.class,
            ParkedCommand.Show.class,
            ParkedCommand.Redrive.class,
            ParkedCommand.Discard.class
        })
final class ParkedCommand {
    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final int PAGE = 1000;
    private static final String PATH = "/parked-events";

    /** @param unknown a line for each service that does not say what it has parked */
    private record Found(List<Parked> events, List<String> unknown) {}

    /** A parked event and the service that has it. */
    private record Parked(String service, URI url, JsonNode event) {
        String text(String field) {
            return event.path(field).asText("");
        }

        String next() {
            return event.hasNonNull("nextAttemptAt") ? text("nextAttemptAt") : "given up";
        }
    }

    /** The running services, found by the state folder. */
    static final class Running {
        @Option(names = "--data", paramLabel = "DIR", description = "State folder. (default: .orderly in the checkout)")
        Path data;

        @Option(
                names = "--as",
                paramLabel = "NAME",
                defaultValue = "olga",
                description = "Whose token to use, an operator's: what is done is recorded with its subject."
                        + " (default: ${DEFAULT-VALUE})")
        String operator;

        private AccessTokens tokens;

        private HttpResponse<String> send(HttpRequest.Builder request) throws InterruptedException {
            var authorized = request.timeout(TIMEOUT)
                    .header("Authorization", authorization())
                    .build();
            try {
                return HealthProbe.HTTP.send(authorized, BodyHandlers.ofString());
            } catch (IOException e) {
                throw new CommandFailedException(authorized.uri() + " does not answer", e);
            }
        }

        private String authorization() throws InterruptedException {
            if (tokens == null) {
                tokens = AccessTokens.of(Checkout.data(data));
            }
            return tokens.bearer(operator);
        }

        private JsonNode get(URI url) throws InterruptedException {
            var response = send(HttpRequest.newBuilder(url));
            if (response.statusCode() != 200) {
                throw new CommandFailedException(url + " answered " + response.statusCode() + ": " + response.body());
            }
            try {
                return JSON.readTree(response.body());
            } catch (JsonProcessingException e) {
                throw new CommandFailedException(url + " answered what is no JSON", e);
            }
        }

        /** Those of all services that answer. What another has parked is not known. */
        private Found find(String consumer, String key) throws InterruptedException {
            var state = Checkout.data(data);
            var services = StatusFile.running(state).parts().stream()
                    .filter(part -> part.name().endsWith("-service"))
                    .toList();
            if (services.isEmpty()) {
                throw new CommandFailedException("no service was started with " + state + ": ask " + PATH
                        + " of those that you have started yourself");
            }
            authorization(); // without which none answers
            var found = new Found(new ArrayList<>(), new ArrayList<>());
            for (var service : services) {
                var url = URI.create("http://%s:%d%s".formatted(PlatformSettings.HOST, service.port(), PATH));
                try {
                    found.events.addAll(parkedBy(service.name(), url, consumer, key));
                } catch (CommandFailedException e) {
                    found.unknown.add("what " + service.name() + " has parked is not known: " + e.getMessage());
                }
            }
            return found;
        }

        private List<Parked> parkedBy(String service, URI url, String consumer, String key)
                throws InterruptedException {
            var parked = new ArrayList<Parked>();
            long after = 0;
            JsonNode page;
            do {
                page = get(URI.create(url + "?limit=" + PAGE + "&after=" + after
                        + (consumer == null ? "" : "&consumer=" + consumer)
                        + (key == null ? "" : "&key=" + key)));
                for (var event : page) {
                    parked.add(new Parked(service, url, event));
                    after = event.path("seq").asLong();
                }
            } while (page.size() == PAGE);
            return parked;
        }

        /** The parked event with this id. */
        private Parked one(String eventId, String consumer) throws InterruptedException {
            var all = find(consumer, null);
            var found = all.events.stream()
                    .filter(parked -> parked.text("eventId").equals(eventId))
                    .toList();
            if (found.isEmpty()) {
                throw new CommandFailedException("no event " + eventId + " is parked"
                        + (all.unknown.isEmpty() ? "" : " where it could be seen; " + String.join("; ", all.unknown)));
            }
            if (found.size() > 1) {
                throw new CommandFailedException("event %s is parked by %s: which one? --consumer"
                        .formatted(
                                eventId,
                                String.join(
                                        ", ",
                                        found.stream()
                                                .map(p -> p.text("consumer"))
                                                .toList())));
            }
            return found.getFirst();
        }
    }

    /** {@code list}. */
    @Command(name = "list", description = "What is parked, by service, the oldest first.")
    static final class ListAll implements Callable<Integer> {
        @Mixin
        Running running;

        @Option(names = "--consumer", paramLabel = "GROUP", description = "Only of this consumer group.")
        String consumer;

        @Option(names = "--order", paramLabel = "ID", description = "Only of this order.")
        String order;

        @Option(names = "--json", description = "For programs.")
        boolean json;

        @Override
        public Integer call() throws IOException, InterruptedException {
            var found = running.find(consumer, order);
            var parked = found.events;
            if (json) {
                System.out.println(JSON.writerWithDefaultPrettyPrinter()
                        .writeValueAsString(parked.stream().map(Parked::event).toList()));
            } else if (!parked.isEmpty()) {
                System.out.println(AsciiTable.getTable(
                        AsciiTable.NO_BORDERS,
                        parked,
                        List.of(
                                column("event", p -> p.text("eventId")),
                                column("consumer", p -> p.text("consumer").replace("-consumer-group", "")),
                                column("type", p -> p.text("type")),
                                column("reason", p -> p.text("reason")),
                                column("tries", p -> p.text("attempts")),
                                column("next try", Parked::next))));
            } else if (found.unknown.isEmpty()) {
                System.out.println("nothing is parked");
            }
            found.unknown.forEach(problem -> System.err.println("orderly: " + problem));
            return found.unknown.isEmpty() ? 0 : 1;
        }

        private static ColumnData<Parked> column(String header, Function<Parked, String> value) {
            return new Column()
                    .header(header)
                    .headerAlign(HorizontalAlign.LEFT)
                    .dataAlign(HorizontalAlign.LEFT)
                    .with(value);
        }
    }

    private abstract static class OfOne implements Callable<Integer> {
        @Mixin
        Running running;

        @Parameters(paramLabel = "EVENT", description = "The event's id, as list shows it.")
        String event;

        @Option(names = "--consumer", paramLabel = "GROUP", description = "Needed when several have parked it.")
        String consumer;

        final Parked parked() throws InterruptedException {
            return running.one(event, consumer);
        }
    }

    /** {@code show EVENT}. */
    @Command(name = "show", description = "Show a parked event with its record, headers and reason.")
    static final class Show extends OfOne {
        @Override
        public Integer call() throws IOException, InterruptedException {
            System.out.println(
                    JSON.writerWithDefaultPrettyPrinter().writeValueAsString(running.get(address(parked()))));
            return 0;
        }
    }

    /** {@code redrive EVENT}. */
    @Command(name = "redrive", description = "Try a parked event, and all of its order, again now and in order.")
    static final class Redrive extends Action {
        @Override
        String name() {
            return "redrive";
        }
    }

    /** {@code discard EVENT}. */
    @Command(name = "discard", description = "Give a parked event up, finally; those behind it go on without it.")
    static final class Discard extends Action {
        @Override
        String name() {
            return "discard";
        }
    }

    private abstract static class Action extends OfOne {
        @Option(names = "--why", required = true, paramLabel = "TEXT", description = "Recorded, with who did it.")
        String why;

        abstract String name();

        @Override
        public Integer call() throws IOException, InterruptedException {
            var parked = parked();
            var response = running.send(HttpRequest.newBuilder(URI.create(address(parked) + "/" + name()))
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString(JSON.writeValueAsString(Map.of("why", why)))));
            if (response.statusCode() / 100 != 2) {
                throw new CommandFailedException(
                        parked.service() + " answered " + response.statusCode() + ": " + response.body());
            }
            System.out.println(name() + ": " + parked.text("type") + " of order " + parked.text("key") + " at "
                    + parked.service());
            return 0;
        }
    }

    private static URI address(Parked parked) {
        return URI.create(parked.url() + "/" + parked.text("consumer") + "/" + parked.text("eventId"));
    }
}
