package dev.orderly.database;

import jakarta.interceptor.InterceptorBinding;
import jakarta.transaction.Transactional;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Runs in a transaction that any exception rolls back. {@link Transactional} by itself commits after a
 * checked exception, and so would store what precedes a failed statement.
 */
@InterceptorBinding
@Transactional(rollbackOn = Exception.class)
@Inherited
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
public @interface Atomic {}
