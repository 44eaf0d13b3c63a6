package dev.orderly.payment;

import static dev.orderly.payment.Payment.GatewayOutcome.DECLINED;

import dev.orderly.events.EventJson;
import dev.orderly.events.Money;
import dev.orderly.payment.GatewayResult.ProtocolViolation;
import io.smallrye.faulttolerance.api.CircuitBreakerName;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.net.URI;
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
 * The payment gateway, by HTTP. It knows a payment by our id, so whatever is asked twice is done once; nothing is repeated
 * here, but by {@link GatewayDispatcher} alone. When half of the requests fail, none is sent for a while (a circuit breaker).
 */
@ApplicationScoped
class GatewayClient {

    static final String CIRCUIT = "payment-gateway";

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(1);
    private static final int MAX_ANSWER = 16 * 1024;

    /** Of one request with its answer. Long: what a customer's bank takes is not the gateway's fault. */
    static final long TIMEOUT_MILLIS = 5_000;

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .build();
    private final URI url;
    private final String authorization;
    private final String merchant;

    GatewayClient(
            @ConfigProperty(name = "orderly.gateway.url") URI url,
            @ConfigProperty(name = "orderly.gateway.api-key") Optional<String> apiKey,
            @ConfigProperty(name = "orderly.gateway.merchant") String merchant) {
        this.url = url;
        this.authorization = "Bearer " + apiKey.orElse("");
        this.merchant = merchant;
    }

    @PreDestroy
    void close() {
        http.shutdownNow();
    }

    /** No answer, or one that promises nothing: what was asked for may have happened or not. */
    static final class Unavailable extends IOException {
        private static final long serialVersionUID = 1L;

        Unavailable(String message) {
            super(message);
        }
    }

    private record Request(String merchant, Money amount, String cardToken) {}

    /** Has the payment captured, or finds out what became of it when that was asked before. */
    GatewayResult capture(Payment payment) throws IOException, InterruptedException, ProtocolViolation {
        var answer = send(asking("PUT", payment, ""));
        // It will not: there is no such card, or no more. Had it known the payment, it would say what became of that.
        return answer.statusCode() == 422
                ? new GatewayResult(merchant, payment.orderId(), payment.amount(), List.of(DECLINED), "card refused")
                : report(payment, answer);
    }

    /** What became of a payment; empty when the gateway has never heard of it. */
    Optional<GatewayResult> find(Payment payment) throws IOException, InterruptedException, ProtocolViolation {
        var answer = send(request(payment, "").GET().build());
        return answer.statusCode() == 404 ? Optional.empty() : Optional.of(report(payment, answer));
    }

    /** Has the payment never captured, if that is still possible: what the gateway has not heard of then never is. */
    GatewayResult cancel(Payment payment) throws IOException, InterruptedException, ProtocolViolation {
        return report(payment, send(asking("POST", payment, "/cancel")));
    }

    /** Has what was captured given back to the customer. */
    GatewayResult refund(Payment payment) throws IOException, InterruptedException, ProtocolViolation {
        return report(payment, send(asking("POST", payment, "/refund")));
    }

    private HttpRequest asking(String method, Payment payment, String what) {
        var body = EventJson.writeValue(
                new Request(merchant, payment.amount(), payment.card().value()));
        return request(payment, what)
                .method(method, BodyPublishers.ofString(body))
                .build();
    }

    private HttpRequest.Builder request(Payment payment, String what) {
        return HttpRequest.newBuilder(url.resolve("/payments/" + payment.orderId() + what))
                .timeout(Duration.ofMillis(TIMEOUT_MILLIS))
                .header("Authorization", authorization)
                .header("Content-Type", "application/json");
    }

    private GatewayResult report(Payment payment, HttpResponse<byte[]> answer) throws ProtocolViolation {
        if (answer.statusCode() / 100 != 2) {
            throw new ProtocolViolation("HTTP " + answer.statusCode());
        }
        var report = GatewayResult.shown(answer.body()).report();
        if (!report.paymentId().equals(payment.orderId())) {
            throw new ProtocolViolation("an answer about another payment");
        }
        return report;
    }

    /** The answer, whatever it says, but for those that say to come back later. */
    @CircuitBreaker(
            requestVolumeThreshold = 10,
            failureRatio = 0.5,
            delay = 2,
            delayUnit = ChronoUnit.SECONDS,
            successThreshold = 2)
    @CircuitBreakerName(CIRCUIT)
    @Timeout(TIMEOUT_MILLIS + 500) // The client's own ends with the headers of an answer: its body may never come.
    HttpResponse<byte[]> send(HttpRequest request) throws IOException, InterruptedException {
        var answer = http.send(request, BodyHandlers.limiting(BodyHandlers.ofByteArray(), MAX_ANSWER));
        var status = answer.statusCode();
        if (status >= 500 || status == 401 || status == 403 || status == 408 || status == 429) {
            throw new Unavailable("HTTP " + status);
        }
        return answer;
    }
}
