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

/** A body that is JSON but does not fit; Quarkus' own answer would name our classes, or nothing at all. */
@Provider
public class InvalidBodyMapper extends ExceptionMapperBase<MismatchedInputException>
        implements ExceptionMapper<MismatchedInputException> {

    @Override
    protected HttpProblem toProblem(MismatchedInputException misfit) {
        return problemOf(misfit);
    }

    static HttpProblem problemOf(JsonMappingException misfit) {
        var problem = Problems.problem(400, "The body does not have the form that is expected here.");
        if (!misfit.getPath().isEmpty()) {
            problem.with("errors", List.of(new FieldError(field(misfit), message(misfit))));
        }
        return problem.build();
    }

    /** The same in words, where it is about one of many. */
    public static String said(MismatchedInputException misfit) {
        return misfit.getPath().isEmpty() ? message(misfit) : field(misfit) + " " + message(misfit);
    }

    private static String field(JsonMappingException misfit) {
        var field = misfit.getPath().stream().map(InvalidBodyMapper::step).collect(joining());
        return field.substring(field.startsWith(".") ? 1 : 0);
    }

    private static String message(JsonMappingException misfit) {
        return misfit instanceof UnrecognizedPropertyException
                ? "is not known here"
                : "does not have the form that is expected";
    }

    private static String step(Reference reference) {
        return reference.getFieldName() == null ? "[" + reference.getIndex() + "]" : "." + reference.getFieldName();
    }
}
