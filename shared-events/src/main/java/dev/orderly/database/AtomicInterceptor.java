package dev.orderly.database;

import jakarta.annotation.Priority;
import jakarta.interceptor.AroundInvoke;
import jakarta.interceptor.Interceptor;
import jakarta.interceptor.InvocationContext;

/** Sends what the method has deferred, inside of its transaction. */
@Atomic
@Interceptor
@Priority(Interceptor.Priority.LIBRARY_BEFORE)
class AtomicInterceptor {

    private final DeferredWrites writes;

    AtomicInterceptor(DeferredWrites writes) {
        this.writes = writes;
    }

    @AroundInvoke
    Object flush(InvocationContext call) throws Exception {
        var result = call.proceed();
        writes.flush();
        return result;
    }
}
