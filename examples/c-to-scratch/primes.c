/* Prints the primes up to a number, by the sieve of Eratosthenes. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments)
{
    char *end = NULL;
    errno = 0;
    long limit = count == 2 ? strtol(arguments[1], &end, 10) : -1;
    if (end == NULL || *end != '\0' || errno != 0 || limit < 0 || limit > 10000000) {
        fprintf(stderr, "usage: primes LIMIT\n");
        return 2;
    }
    bool *composite = calloc((size_t)limit + 1, sizeof *composite);
    if (composite == NULL) {
        perror("primes");
        return 1;
    }
    for (long number = 2; number <= limit; number++) {
        if (composite[number])
            continue;
        printf("%ld\n", number);
        for (long multiple = 2 * number; multiple <= limit; multiple += number)
            composite[multiple] = true;
    }
    free(composite);
    return 0;
}
