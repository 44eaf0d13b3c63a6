package dev.orderly.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.restassured.RestAssured;
import io.restassured.filter.Filter;
import io.restassured.filter.FilterContext;
import io.restassured.response.Response;
import io.restassured.specification.FilterableRequestSpecification;
import io.restassured.specification.FilterableResponseSpecification;
import java.util.regex.Pattern;

/**
 * For tests that are not about who may do what: a request without a token gets one of every role, and of the
 * customer in its body, for whom nobody else may act. {@link EndpointAccess} is about the rest.
 */
public final class DefaultToken implements Filter {

    /** The subject where a request names no customer. */
    public static final String SUBJECT = "tester";

    private static final Pattern CUSTOMER = Pattern.compile("\"customerId\"\\s*:\\s*\"([0-9a-fA-F-]{36})\"");

    private DefaultToken() {}

    /** From now on, of all requests of RestAssured. */
    public static void install() {
        RestAssured.replaceFiltersWith(new DefaultToken());
    }

    @Override
    public Response filter(
            FilterableRequestSpecification request, FilterableResponseSpecification expected, FilterContext context) {
        if (!request.getHeaders().hasHeaderWithName("Authorization")) {
            request.header("Authorization", "Bearer " + Tokens.ofAllRoles(subject(request.getBody())));
        }
        return context.next(request, expected);
    }

    private static String subject(Object body) {
        var text = body instanceof byte[] bytes ? new String(bytes, UTF_8) : body;
        var customer = CUSTOMER.matcher(String.valueOf(text));
        return customer.find() ? customer.group(1) : SUBJECT;
    }
}
