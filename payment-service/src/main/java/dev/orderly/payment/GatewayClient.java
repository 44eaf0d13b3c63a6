package dev.orderly.payment;

import static com.fasterxml.jackson.annotation.JsonInclude.Include.NON_NULL;
import static dev.orderly.payment.Payment.GatewayOutcome.DECLINED;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.orderly.events.EventJson;
import dev.orderly.events.Money;
import dev.orderly.http.BaseUrl;
import dev.orderly.payment.GatewayResult.ProtocolViolation;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.faulttolerance.api.CircuitBreakerName;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.faulttolerance.CircuitBreaker;
import org.eclipse.microprofile.faulttolerance.Timeout;

/**
 * HTTP client of the payment gateway, which identifies a payment by our order id: every request is
 * idempotent. Only {@link GatewayDispatcher} retries. A circuit breaker sends nothing for a while when half
 * of the requests fail.
 */
@ApplicationScoped
class GatewayClient {

    static final String CIRCUIT = "payment-gateway";

    /** Requests that a half-open circuit lets through, to find out whether the gateway has recovered. */
    static final int MAX_PROBES = 2;

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(1);
    private static final int MAX_RESPONSE_BYTES = 16 * 1024;

    /** Of one request and its response. Long: the gateway has to wait for the customer's bank. */
    private static final long TIMEOUT_MILLIS = 5_000;

    /** The client's own timeout does not cover the body of a response. */
    static final long MAX_REQUEST_MILLIS = TIMEOUT_MILLIS + 500;

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .build();
    private final BaseUrl url;
    private final String authorization;
    private final String merchant;

    GatewayClient(
            @ConfigProperty(name = "orderly.gateway.url") String url,
            @ConfigProperty(name = "orderly.gateway.api-key") Optional<List<String>> apiKeys,
            @ConfigProperty(name = "orderly.gateway.merchant") String merchant) {
        this.url = new BaseUrl("ORDERLY_GATEWAY_URL", url);
        this.authorization = "Bearer " + apiKeys.map(List::getFirst).orElse("");
        this.merchant = merchant;
    }

    /** Makes the one instance, so that a wrong URL shows at the start and not at the first card payment. */
    void start(@Observes StartupEvent event) {}

    @PreDestroy
    void close() {
        http.shutdownNow();
    }

    /** No response, or one without a result: what was requested may have happened or not. */
    static final class Unavailable extends IOException {
        private static final long serialVersionUID = 1L;

        Unavailable(String message) {
            super(message);
        }
    }

    /** @param cardToken absent when a payment is refunded that was settled long ago */
    private record Request(
            String merchant,
            Money amount,
            @JsonInclude(NON_NULL) String cardToken) {}

    /** Captures the payment; if that was requested before, returns its state. */
    GatewayResult capture(Payment payment) throws IOException, InterruptedException, ProtocolViolation {
        var response = send(command("PUT", payment, ""));
        // 422: there is no such card. For a payment that the gateway knows, it returns the state instead.
        return response.statusCode() == 422
                ? new GatewayResult(merchant, payment.orderId(), payment.amount(), List.of(DECLINED), "card refused")
                : result(payment, response);
    }

    /** The state of a payment; empty when the gateway does not know it. */
    Optional<GatewayResult> find(Payment payment) throws IOException, InterruptedException, ProtocolViolation {
        var response = send(request(payment, "").GET().build());
        return response.statusCode() == 404 ? Optional.empty() : Optional.of(result(payment, response));
    }

    /** Cancels the payment unless it is captured; an unknown one can never be captured afterwards. */
    GatewayResult cancel(Payment payment) throws IOException, InterruptedException, ProtocolViolation {
        return result(payment, send(command("POST", payment, "/cancel")));
    }

    GatewayResult refund(Payment payment) throws IOException, InterruptedException, ProtocolViolation {
        return result(payment, send(command("POST", payment, "/refund")));
    }

    private HttpRequest command(String method, Payment payment, String action) {
        var body = EventJson.writeValue(new Request(
                merchant,
                payment.amount(),
                payment.card() == null ? null : payment.card().value()));
        return request(payment, action)
                .method(method, BodyPublishers.ofString(body))
                .build();
    }

    private HttpRequest.Builder request(Payment payment, String action) {
        return HttpRequest.newBuilder(url.resolve("payments/" + payment.orderId() + action))
                .timeout(Duration.ofMillis(TIMEOUT_MILLIS))
                .header("Authorization", authorization)
                .header("Content-Type", "application/json");
    }

    private static GatewayResult result(Payment payment, HttpResponse<byte[]> response) throws ProtocolViolation {
        if (response.statusCode() / 100 != 2) {
            throw new ProtocolViolation("HTTP " + response.statusCode());
        }
        var result = GatewayResult.ofResponse(response.body());
        if (!result.paymentId().equals(payment.orderId())) {
            throw new ProtocolViolation("a response about another payment");
        }
        return result;
    }

    /** Returns any response but those that a later retry may change. */
    @CircuitBreaker(
            requestVolumeThreshold = 10,
            failureRatio = 0.5,
            delay = 2,
            delayUnit = ChronoUnit.SECONDS,
            successThreshold = MAX_PROBES)
    @CircuitBreakerName(CIRCUIT)
    @Timeout(MAX_REQUEST_MILLIS)
    HttpResponse<byte[]> send(HttpRequest request) throws IOException, InterruptedException {
        var response = http.send(request, BodyHandlers.limiting(BodyHandlers.ofByteArray(), MAX_RESPONSE_BYTES));
        var status = response.statusCode();
        if (status >= 500 || status == 401 || status == 403 || status == 408 || status == 429) {
            throw new Unavailable("HTTP " + status);
        }
        return response;
    }
}
