/* The records of Assetto Corsa's interfaces in C, with the documented types: wchar_t is two bytes on Windows. */
#include <stdint.h>

#ifdef _WIN32
#include <wchar.h>
typedef wchar_t ac_char;
#else
typedef uint16_t ac_char;
#endif

#pragma pack(push, 4)

typedef struct {
    int32_t packetId;
    float gas, brake, fuel;
    int32_t gear, rpms;
    float steerAngle, speedKmh;
    float velocity[3], accG[3];
    float wheelSlip[4], wheelLoad[4], wheelsPressure[4], wheelAngularSpeed[4];
    float tyreWear[4], tyreDirtyLevel[4], tyreCoreTemperature[4], camberRAD[4], suspensionTravel[4];
    float drs, tc, heading, pitch, roll, cgHeight;
    float carDamage[5];
    int32_t numberOfTyresOut, pitLimiterOn;
    float abs, kersCharge, kersInput;
    int32_t autoShifterOn;
    float rideHeight[2];
    float turboBoost, ballast, airDensity, airTemp, roadTemp;
    float localAngularVel[3];
    float finalFF, performanceMeter;
    int32_t engineBrake, ersRecoveryLevel, ersPowerLevel, ersHeatCharging, ersIsCharging;
    float kersCurrentKJ;
    int32_t drsAvailable, drsEnabled;
    float brakeTemp[4];
    float clutch;
    float tyreTempI[4], tyreTempM[4], tyreTempO[4];
    int32_t isAIControlled;
    float tyreContactPoint[4][3], tyreContactNormal[4][3], tyreContactHeading[4][3];
    float brakeBias;
    float localVelocity[3];
} PHYSICS;

typedef struct {
    int32_t packetId;
    int32_t status, session; /* enumerations */
    ac_char currentTime[15], lastTime[15], bestTime[15], split[15];
    int32_t completedLaps, position, iCurrentTime, iLastTime, iBestTime;
    float sessionTimeLeft, distanceTraveled;
    int32_t isInPit, currentSectorIndex, lastSectorTime, numberOfLaps;
    ac_char tyreCompound[33];
    float replayTimeMultiplier, normalizedCarPosition;
    float carCoordinates[3];
    float penaltyTime;
    int32_t flag, idealLineOn, isInPitLane;
    float surfaceGrip;
    int32_t mandatoryPitDone;
    float windSpeed, windDirection;
} GRAPHICS;

typedef struct {
    ac_char smVersion[15], acVersion[15];
    int32_t numberOfSessions, numCars;
    ac_char carModel[33], track[33], playerName[33], playerSurname[33], playerNick[33];
    int32_t sectorCount;
    float maxTorque, maxPower;
    int32_t maxRpm;
    float maxFuel;
    float suspensionMaxTravel[4], tyreRadius[4];
    float maxTurboBoost, deprecated_1, deprecated_2;
    int32_t penaltiesEnabled;
    float aidFuelRate, aidTireRate, aidMechanicalDamage;
    int32_t aidAllowTyreBlankets;
    float aidStability;
    int32_t aidAutoClutch, aidAutoBlip, hasDRS, hasERS, hasKERS;
    float kersMaxJ;
    int32_t engineBrakeSettingsCount, ersPowerControllerCount;
    float trackSPlineLength;
    ac_char trackConfiguration[33];
    float ersMaxJ;
    int32_t isTimedRace, hasExtraLap;
    ac_char carSkin[33];
    int32_t reversedGridPositions, pitWindowStart, pitWindowEnd;
} STATIC;

typedef struct {
    int32_t identifier, version, operationId;
} RT_HANDSHAKER;

typedef struct {
    ac_char carName[50], driverName[50];
    int32_t identifier, version;
    ac_char trackName[50], trackConfig[50];
} RT_RESPONSE;

typedef struct {
    char identifier[2];
    int32_t size;
    float speed_Kmh, speed_Mph, speed_Ms;
    uint8_t isAbsEnabled, isAbsInAction, isTcInAction, isTcEnabled, isInPit, isEngineLimiterOn;
    float accG_vertical, accG_horizontal, accG_frontal;
    int32_t lapTime, lastLap, bestLap, lapCount;
    float gas, brake, clutch, engineRPM, steer;
    int32_t gear;
    float cgHeight;
    float wheelAngularSpeed[4], slipAngle[4], slipAngle_ContactPatch[4], slipRatio[4], tyreSlip[4], ndSlip[4];
    float load[4], Dy[4], Mz[4], tyreDirtyLevel[4];
    float camberRAD[4], tyreRadius[4], tyreLoadedRadius[4], suspensionHeight[4];
    float carPositionNormalized, carSlope;
    float carCoordinates[3];
} RT_CAR_INFO;

typedef struct {
    int32_t carIdentifierNumber, lap;
    ac_char driverName[50], carName[50];
    int32_t time;
} RT_LAP;

typedef struct {
    float x, y, z;
} vec3;

typedef struct {
    float gas, brake, clutch, steer, handbrake;
    uint8_t gear_up, gear_dn, drs, kers;
    uint8_t brake_balance_up, brake_balance_dn, abs_up, abs_dn, tc_up, tc_dn, turbo_up, turbo_dn;
    uint8_t engine_brake_up, engine_brake_dn, mguk_delivery_up, mguk_delivery_dn, mguk_recovery_up, mguk_recovery_dn;
    uint8_t mguh_mode, headlights;
    uint8_t teleport_to, autoclutch_on_start, autoclutch_on_change, autoblip_active;
    vec3 teleport_pos, teleport_dir;
    uint8_t autoshift_active;
} CAR_CONTROLS;

typedef struct {
    vec3 position, contact_point, contact_normal, look, side, velocity;
    float slip_ratio, load, pressure, angular_velocity, wear, dirty_level, core_temp, camber, disc_temp;
    float slip, slip_angle_deg, nd_slip;
} WHEEL;

typedef struct {
    int32_t packet_id;
    float gas, brake, clutch, steer, handbrake, fuel;
    int32_t gear;
    float rpm, speed_kmh;
    vec3 velocity, acc_g, look, up, position, local_velocity, local_angular_velocity;
    float cg_height;
    float damage[5];
    WHEEL wheels[4];
    float turbo, final_ff, pure_ff;
    uint8_t pit_limiter, abs_in_action, tc_in_action;
    uint32_t lap_time_ms, best_lap_time_ms;
    float drivetrain_torque, spline_position, collision_depth;
    uint32_t collision_counter;
    uint8_t wheels_valid_surface;
} CAR;

typedef struct {
    int32_t packet_id;
    float steer, rpm, spline_position, speed_kmh;
    vec3 velocity, acc_g, look, up, position;
    float damage[5];
    uint8_t is_braking;
} CAR_PUBLIC;

typedef struct {
    uint8_t pause, restart_session, disable_collisions, extra_sleep_ms;
    float time_scale;
} SIM_STATE;

#pragma pack(pop)
