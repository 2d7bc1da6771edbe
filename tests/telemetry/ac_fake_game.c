/* A game for Windows and the bridge that carries its pages out of a Proton prefix, in one program.
 *
 * ac_fake_game.exe FOLDER STEPS: backs the named mappings with the files acpmf_* in FOLDER, as a bridge does before the
 * game starts; then opens them by name alone and writes STEPS physics steps into them, as the game does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

#include "ac_interfaces.h"

enum { BRIDGE_SIZE = 2048 };

static void fail(const char *what) {
    printf("failed: %s, error %lu\n", what, GetLastError());
    exit(1);
}

/* The bridge's part: a named mapping whose memory is a file that Linux sees. */
static void back_with_file(const char *folder, const char *page) {
    char path[1024], name[64];
    snprintf(path, sizeof path, "%s\\%s", folder, page);
    snprintf(name, sizeof name, "Local\\%s", page);
    HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                              OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE || !CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, BRIDGE_SIZE, name))
        fail(path);
}

/* The game's part: it makes a mapping by name and finds that there is one. */
static void *game_page(const char *name, DWORD size) {
    HANDLE mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, size, name);
    if (!mapping || GetLastError() != ERROR_ALREADY_EXISTS)
        fail("the game does not find the bridge's mapping");
    void *view = MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0, size);
    return view ? view : (fail("no view"), NULL);
}

/* What Python's mmap does on Windows after actwin has seen with OpenFileMapping that the mapping exists. */
static const PHYSICS *reader_view(void) {
    HANDLE found = OpenFileMappingA(FILE_MAP_READ, FALSE, "Local\\acpmf_physics");
    if (!found)
        fail("the reader does not find the mapping");
    HANDLE mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READONLY, 0, sizeof(PHYSICS),
                                        "Local\\acpmf_physics");
    if (!mapping || GetLastError() != ERROR_ALREADY_EXISTS)
        fail("the reader made a mapping of its own");
    CloseHandle(found);
    const PHYSICS *view = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, sizeof(PHYSICS));
    return view ? view : (fail("no view for the reader"), NULL);
}

int main(int count, char **words) {
    if (count != 3)
        return 2;
    if (OpenFileMappingA(FILE_MAP_READ, FALSE, "Local\\acpmf_physics"))
        fail("opening created a mapping");
    const char *pages[] = {"acpmf_physics", "acpmf_graphics", "acpmf_static"};
    for (int i = 0; i < 3; i++)
        back_with_file(words[1], pages[i]);

    PHYSICS *physics = game_page("Local\\acpmf_physics", sizeof(PHYSICS));
    GRAPHICS *graphics = game_page("acpmf_graphics", sizeof(GRAPHICS)); /* without the prefix it is the same one */
    STATIC *facts = game_page("Local\\acpmf_static", sizeof(STATIC));
    const PHYSICS *seen = reader_view();

    wcscpy(facts->smVersion, L"1.7");
    wcscpy(facts->acVersion, L"1.16.4");
    wcscpy(facts->carModel, L"ks_porsche_911_gt3_r_2016");
    wcscpy(facts->track, L"imola");
    wcscpy(facts->trackConfiguration, L"");
    wcscpy(facts->carSkin, L"05_\x00e4pfel");
    wcscpy(facts->playerName, L"\x00c5sa");
    facts->maxRpm = 9250;
    facts->trackSPlineLength = 4889.5f;
    graphics->status = 2;
    for (int step = 1; step <= atoi(words[2]); step++) {
        physics->speedKmh = 36.0f;
        physics->localVelocity[2] = physics->velocity[2] = 10.0f;
        physics->steerAngle = 0.25f;
        physics->rpms = 1000 + step % 1000;
        physics->packetId = step;
        graphics->carCoordinates[2] = 0.03f * step;
        graphics->packetId += 2;
        if (seen->packetId != step)
            fail("the reader sees other memory");
        Sleep(3);
    }
    printf("ended\n");
    return 0;
}
