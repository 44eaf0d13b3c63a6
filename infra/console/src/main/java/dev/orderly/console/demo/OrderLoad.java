package dev.orderly.console.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.orderly.console.config.ConsoleConfig;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.jboss.logging.Logger;

/**
 * Places orders at a rate, as customers do: by the public interface, each with a token of its own. In an open
 * loop, so that a system that is slow gets no fewer; but with a bound on what is in flight.
 */
@ApplicationScoped
public class OrderLoad {

    private static final Logger LOG = Logger.getLogger(OrderLoad.class);

    static final int MAX_RATE = 100;
    private static final int MAX_IN_FLIGHT = 200;
    private static final int CUSTOMERS = 8;
    private static final String SKU = "console-load";
    private static final long STOCK = 1_000_000;
    private static final long BALANCE = 100_000_000;
    /** Clerk and operator, who fills stock and accounts. */
    private static final String TOOLS = "tools";

    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    /** Tokens are valid for an hour. */
    private static final Duration TOKENS_RENEWED = Duration.ofMinutes(45);

    private final ConsoleConfig config;
    private final ObjectMapper json;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(TIMEOUT)
            .build();
    private final Semaphore inFlight = new Semaphore(MAX_IN_FLIGHT);
    private final LongAdder placed = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private volatile int rate;
    private boolean running;

    /** @param placed accepted since the console started @param failed rejected, or without an answer */
    public record Status(int ratePerSecond, long placed, long failed) {}

    private record Customer(String id, String token) {}

    OrderLoad(ConsoleConfig config, ObjectMapper json) {
        this.config = config;
        this.json = json;
    }

    public Status status() {
        return new Status(rate, placed.sum(), failed.sum());
    }

    /** Returns at once; 0 ends it. */
    synchronized Status set(int ratePerSecond) {
        if (config.identitySecret().isEmpty()) {
            throw DemoPlatform.noDemo();
        }
        rate = ratePerSecond;
        if (rate > 0 && !running) {
            running = true;
            Thread.ofVirtual().name("order-load").start(this::run);
        }
        return status();
    }

    /** In one step with the end: a rate that is set just then starts the load again. */
    private synchronized boolean goesOn() {
        running = rate > 0;
        return running;
    }

    private synchronized void end() {
        rate = 0;
        running = false;
    }

    void stop(@Observes ShutdownEvent event) {
        rate = 0;
    }

    private void run() {
        try {
            var customers = customers();
            long renewAt = System.nanoTime() + TOKENS_RENEWED.toNanos();
            long next = System.nanoTime();
            while (goesOn()) {
                next += TimeUnit.SECONDS.toNanos(1) / Math.max(1, rate);
                LockSupport.parkNanos(next - System.nanoTime());
                if (System.nanoTime() - renewAt > 0) {
                    customers = customers();
                    renewAt = System.nanoTime() + TOKENS_RENEWED.toNanos();
                }
                place(customers.get(ThreadLocalRandom.current().nextInt(CUSTOMERS)));
            }
        } catch (IOException | RuntimeException e) {
            LOG.warnf("the load ends: %s", e.getMessage());
            end();
        } catch (InterruptedException _) {
            end();
            Thread.currentThread().interrupt();
        }
    }

    private void place(Customer customer) {
        if (!inFlight.tryAcquire()) {
            failed.increment();
            return;
        }
        var body = Map.of(
                "customerId",
                customer.id,
                "lines",
                List.of(Map.of("sku", SKU, "quantity", 1)),
                "paymentMethod",
                "BALANCE");
        http.sendAsync(request("orders", "/orders", customer.token, "POST", body), BodyHandlers.discarding())
                .whenComplete((response, _) -> {
                    inFlight.release();
                    (response != null && response.statusCode() == 202 ? placed : failed).increment();
                });
    }

    /** With something to buy, and the money for it. */
    private List<Customer> customers() throws IOException, InterruptedException {
        var tools = token(TOOLS);
        var price = Map.of("amount", 1, "currency", "EUR");
        send(request("orders", "/products/" + SKU, tools, "PUT", Map.of("name", "Load", "price", price)));
        send(request("inventory", "/stock/" + SKU + "/deliveries", tools, "POST", Map.of("quantity", STOCK)));
        var customers = new ArrayList<Customer>();
        for (int i = 0; i < CUSTOMERS; i++) {
            var id = UUID.randomUUID().toString();
            var deposit = Map.of("amount", Map.of("amount", BALANCE, "currency", "EUR"));
            send(request("payments", "/accounts/" + id + "/deposits", tools, "POST", deposit));
            customers.add(new Customer(id, token(id)));
        }
        return customers;
    }

    private String token(String subject) throws IOException, InterruptedException {
        var form = "grant_type=client_credentials&client_secret="
                + encoded(config.identitySecret().orElseThrow()) + "&subject=" + encoded(subject);
        var request = HttpRequest.newBuilder(config.tokenEndpoint())
                .timeout(TIMEOUT)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(BodyPublishers.ofString(form))
                .build();
        return json.readTree(send(request).body()).path("access_token").asText();
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private HttpRequest request(String service, String path, String token, String method, Map<String, ?> body) {
        URI url = URI.create(config.services().get(service) + path);
        try {
            return HttpRequest.newBuilder(url)
                    .timeout(TIMEOUT)
                    .header("Authorization", "Bearer " + token)
                    .header("Content-Type", "application/json")
                    .header("Idempotency-Key", UUID.randomUUID().toString())
                    .method(method, BodyPublishers.ofString(json.writeValueAsString(body)))
                    .build();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
        var response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() >= 300) {
            throw new IOException(request.uri().getPath() + " answered " + response.statusCode());
        }
        return response;
    }
}
