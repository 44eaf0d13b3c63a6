package dev.orderly.http;

/**
 * The form of a query parameter that is a UUID. The parameter itself is a String: JAX-RS answers 404 to a
 * value that it cannot convert.
 */
public final class UuidParameter {

    public static final String PATTERN = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
    public static final String MESSAGE = "must be a UUID";

    private UuidParameter() {}
}
