package dev.orderly.testing;

import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.notNullValue;

import io.restassured.response.ValidatableResponse;

/** What every problem document (RFC 9457) of a service has. */
public final class ProblemAssert {

    private ProblemAssert() {}

    /** Checks that the response is a problem of this status; returns it for further checks. */
    public static ValidatableResponse assertProblem(ValidatableResponse response, int status) {
        return response.statusCode(status)
                .contentType("application/problem+json")
                .body("status", equalTo(status))
                .body("title", notNullValue());
    }

    /** Checks that the response is a problem of this status that says what is wrong with this field. */
    public static ValidatableResponse assertProblem(ValidatableResponse response, int status, String field) {
        return assertProblem(response, status)
                .body("errors[0].field", equalTo(field))
                .body("errors[0].message", notNullValue());
    }
}
