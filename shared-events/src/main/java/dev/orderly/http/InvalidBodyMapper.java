package dev.orderly.http;

import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonMappingException.Reference;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import dev.orderly.http.Problems.FieldError;
import io.quarkiverse.resteasy.problem.ExceptionMapperBase;
import io.quarkiverse.resteasy.problem.HttpProblem;
import jakarta.ws.rs.ext.ExceptionMapper;
import jakarta.ws.rs.ext.Provider;
import java.util.List;

/** A body that is JSON but not the expected one. Quarkus' own answer would name our classes, or nothing. */
@Provider
public class InvalidBodyMapper extends ExceptionMapperBase<MismatchedInputException>
        implements ExceptionMapper<MismatchedInputException> {

    @Override
    protected HttpProblem toProblem(MismatchedInputException mismatch) {
        return problemOf(mismatch);
    }

    static HttpProblem problemOf(JsonMappingException mismatch) {
        var problem = Problems.problem(400, "The body does not have the form that is expected here.");
        if (!mismatch.getPath().isEmpty()) {
            problem.with("errors", List.of(new FieldError(field(mismatch), message(mismatch))));
        }
        return problem.build();
    }

    /** The same as one sentence, for a body that is one of many. */
    public static String describe(MismatchedInputException mismatch) {
        return mismatch.getPath().isEmpty() ? message(mismatch) : field(mismatch) + " " + message(mismatch);
    }

    private static String field(JsonMappingException mismatch) {
        var field = mismatch.getPath().stream().map(InvalidBodyMapper::step).collect(joining());
        return field.substring(field.startsWith(".") ? 1 : 0);
    }

    private static String message(JsonMappingException mismatch) {
        return mismatch instanceof UnrecognizedPropertyException
                ? "is not known here"
                : "does not have the form that is expected";
    }

    private static String step(Reference reference) {
        return reference.getFieldName() == null ? "[" + reference.getIndex() + "]" : "." + reference.getFieldName();
    }
}
