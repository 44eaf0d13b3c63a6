package dev.orderly.clientlog;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import dev.orderly.http.InvalidBodyMapper;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.validation.Validator;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Reads lines of JSON, as they come by HTTP and as they are on the topic: the same bytes. */
@ApplicationScoped
class LogLineParser {

    /** In bytes. */
    static final int LONGEST = 8 * 1024;

    // A clock may be wrong, but not by so much that PostgreSQL could not say when that was.
    private static final Instant EARLIEST = Instant.parse("2000-01-01T00:00:00Z");
    private static final Instant LATEST = Instant.parse("2200-01-01T00:00:00Z");

    private final ObjectReader json;
    private final Validator validator;

    LogLineParser(ObjectMapper json, Validator validator) {
        this.json = json.readerFor(LogLine.class);
        this.validator = validator;
    }

    /** What some bytes turned out to be. */
    sealed interface Reading {
        record Line(LogLine line) implements Reading {}

        /** @param reason says nothing of the content */
        record Unfit(String reason) implements Reading {}
    }

    /** @param number 1 for the first of its batch */
    record Numbered(int number, byte[] bytes) {}

    /** The lines of a batch, but for the blank ones. */
    static List<Numbered> split(byte[] batch) {
        var lines = new ArrayList<Numbered>();
        var start = 0;
        for (var number = 1; start < batch.length; number++) {
            var end = start;
            var blank = true;
            while (end < batch.length && batch[end] != '\n') {
                blank &= batch[end] == ' ' || batch[end] == '\t' || batch[end] == '\r';
                end++;
            }
            if (!blank) {
                lines.add(new Numbered(number, Arrays.copyOfRange(batch, start, end)));
            }
            start = end + 1;
        }
        return lines;
    }

    Reading read(byte[] bytes) {
        if (bytes.length > LONGEST) {
            return new Reading.Unfit("is longer than " + LONGEST + " bytes");
        }
        try {
            LogLine line = json.readValue(bytes);
            if (line == null) {
                return new Reading.Unfit("is no object");
            }
            var violation = validator.validate(line).stream().findFirst();
            if (violation.isPresent()) {
                return new Reading.Unfit(violation.get().getPropertyPath() + " "
                        + violation.get().getMessage());
            }
            return line.at().isBefore(EARLIEST) || line.at().isAfter(LATEST)
                    ? new Reading.Unfit("at must be between " + EARLIEST + " and " + LATEST)
                    : new Reading.Line(line);
        } catch (MismatchedInputException e) {
            return new Reading.Unfit(InvalidBodyMapper.said(e));
        } catch (IOException _) {
            return new Reading.Unfit("is not valid JSON");
        }
    }
}
