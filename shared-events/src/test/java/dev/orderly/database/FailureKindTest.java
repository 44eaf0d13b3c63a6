package dev.orderly.database;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FailureKindTest {

    /** All classes of errors of PostgreSQL 18, each with one of its codes that is not an exception to it. */
    @ParameterizedTest
    @CsvSource({
        "DATA, '21000 22000 22001 22003 22021 22P05 23000 23502 23505 23514 54000 54001 54011 54023 P0001'",
        "OUTAGE, '08000 08003 08006 28000 28P01 3D000 40001 40003 40P01 53000 53100 53300 53400 55006 57000 57P01"
                + " 57P02 57P03 57P05 58000 58030 72000 F0000 F0001'",
        "OUTAGE, '25006 42501 42P01 42703 42883 3F000'",
        "CAPACITY, '25P03 25P04 53200 55P03 57014'",
        "UNEXPLAINED, '03000 08P01 09000 0A000 0B000 0F000 0L000 0P000 0Z000 20000 24000 25000 25P01 25P02 26000 27000"
                + " 2B000 2D000 2F000 34000 38000 39000 3B000 42000 42601 42804 44000 HV000 P0000 P0002 P0004 XX000"
                + " XX001 XX002 ZZ999'"
    })
    void every_class_of_failures_has_its_consequence(FailureKind kind, String states) {
        for (var state : states.split(" ")) {
            assertThat(FailureKind.of(new SQLException("as " + state, state)))
                    .as(state)
                    .isEqualTo(kind);
        }
    }

    @Test
    void a_pool_without_a_connection_is_an_outage() {
        assertThat(FailureKind.of(new SQLException("none free"))).isEqualTo(FailureKind.OUTAGE);
    }
}
