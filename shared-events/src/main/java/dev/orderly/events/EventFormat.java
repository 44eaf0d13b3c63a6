package dev.orderly.events;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * How the value of an event is encoded. The name is also the one that schema registries have for the type of
 * its schema.
 */
public enum EventFormat {
    /** Plain: no prefix and no schema id, so that a reader needs nothing but its language's JSON parser. */
    JSON("application/json"),
    AVRO("application/avro"),
    PROTOBUF("application/x-protobuf");

    private final String contentType;

    EventFormat(String contentType) {
        this.contentType = contentType;
    }

    /** The value of the header {@link EventHeaders#CONTENT_TYPE}. */
    public String contentType() {
        return contentType;
    }

    /**
     * @param contentType as in a header; null or empty is JSON, the format of all records that name none
     * @throws IllegalArgumentException when it is of no format
     */
    public static EventFormat ofContentType(String contentType) {
        if (contentType == null || contentType.isEmpty()) {
            return JSON;
        }
        return Arrays.stream(values())
                .filter(format -> format.contentType.equals(contentType))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("header content-type is none of "
                        + Arrays.stream(values()).map(EventFormat::contentType).collect(Collectors.joining(", "))));
    }
}
