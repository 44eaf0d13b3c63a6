package dev.orderly.http;

/** What a query parameter is to be that names an order or a customer. A String: JAX-RS answers 404 to any other UUID. */
public final class UuidParameter {

    public static final String PATTERN = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
    public static final String MESSAGE = "must be a UUID";

    private UuidParameter() {}
}
