package dev.orderly.clientlog;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import dev.orderly.http.InvalidBodyMapper;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.validation.Validator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Parses and validates JSON lines, in a request as well as on the topic: both carry the same bytes. */
@ApplicationScoped
class LogLineParser {

    static final int MAX_LINE_BYTES = 8 * 1024;

    // A client's clock may be wrong, but its time must be in the range of PostgreSQL's timestamps.
    private static final Instant EARLIEST = Instant.parse("2000-01-01T00:00:00Z");
    private static final Instant LATEST = Instant.parse("2200-01-01T00:00:00Z");

    private final ObjectReader json;
    private final Validator validator;

    LogLineParser(ObjectMapper json, Validator validator) {
        this.json = json.readerFor(LogLine.class);
        this.validator = validator;
    }

    sealed interface ParseResult {
        record Parsed(LogLine line) implements ParseResult {}

        /** @param reason does not quote the line */
        record Rejected(String reason) implements ParseResult {}
    }

    /** @param number 1 for the first line of its batch */
    record NumberedLine(int number, byte[] bytes) {}

    /** The lines of a batch; blank ones are counted but left out. */
    static List<NumberedLine> split(byte[] batch) {
        var lines = new ArrayList<NumberedLine>();
        var start = 0;
        for (var number = 1; start < batch.length; number++) {
            var end = start;
            var blank = true;
            while (end < batch.length && batch[end] != '\n') {
                blank &= batch[end] == ' ' || batch[end] == '\t' || batch[end] == '\r';
                end++;
            }
            if (!blank) {
                lines.add(new NumberedLine(number, Arrays.copyOfRange(batch, start, end)));
            }
            start = end + 1;
        }
        return lines;
    }

    ParseResult parse(byte[] bytes) {
        if (bytes.length > MAX_LINE_BYTES) {
            return new ParseResult.Rejected("is longer than " + MAX_LINE_BYTES + " bytes");
        }
        try {
            LogLine line = json.readValue(withoutMark(decode(bytes)));
            if (line == null) {
                return new ParseResult.Rejected("is no object");
            }
            var violation = validator.validate(line).stream().findFirst();
            if (violation.isPresent()) {
                return new ParseResult.Rejected(violation.get().getPropertyPath() + " "
                        + violation.get().getMessage());
            }
            return line.at().isBefore(EARLIEST) || line.at().isAfter(LATEST)
                    ? new ParseResult.Rejected("at must be between " + EARLIEST + " and " + LATEST)
                    : new ParseResult.Parsed(line);
        } catch (CharacterCodingException _) {
            return new ParseResult.Rejected("is not UTF-8");
        } catch (MismatchedInputException e) {
            return new ParseResult.Rejected(InvalidBodyMapper.describe(e));
        } catch (IOException _) {
            return new ParseResult.Rejected("is not valid JSON");
        }
    }

    /** Strictly: Jackson would decode overlong forms as well, and guess at UTF-16. */
    private static String decode(byte[] bytes) throws CharacterCodingException {
        return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    }

    private static String withoutMark(String text) {
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }
}
