/* Faults that the tools must find: with "overflow" the library is told of more room than there is, with "leak" memory is
 * lost. */
#include "world.h"

static void overflow(void)
{
    lukko_registrar registrar;
    uint8_t *small = malloc(16);
    size_t written;
    TRY(lukko_registrar_generate(&registrar));
    TRY(lukko_registrar_seed(registrar, small, 32, &written));
    free(small);
}

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "overflow") == 0) {
        overflow();
    }
    if (count > 2) {
        world_make();
        (void)source_of(&world_file);
    }
    puts("not noticed");
    return 0;
}
