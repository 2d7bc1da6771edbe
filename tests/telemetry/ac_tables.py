"""Size of each record of the game, with offset and size of each field in bytes, as documented."""

from __future__ import annotations

SIZES = {
    "PHYSICS": 580,
    "GRAPHICS": 296,
    "STATIC": 684,
    "RT_HANDSHAKER": 12,
    "RT_RESPONSE": 408,
    "RT_CAR_INFO": 328,
    "RT_LAP": 212,
    "CAR_CONTROLS": 72,
    "CAR": 672,
    "WHEEL": 120,
    "CAR_PUBLIC": 104,
    "SIM_STATE": 8,
}

_TABLES = {
    "PHYSICS": """
        packetId 0 4, gas 4 4, brake 8 4, fuel 12 4, gear 16 4, rpms 20 4, steerAngle 24 4, speedKmh 28 4, velocity 32
        12, accG 44 12, wheelSlip 56 16, wheelLoad 72 16, wheelsPressure 88 16, wheelAngularSpeed 104 16, tyreWear 120
        16, tyreDirtyLevel 136 16, tyreCoreTemperature 152 16, camberRAD 168 16, suspensionTravel 184 16, drs 200 4,
        tc 204 4, heading 208 4, pitch 212 4, roll 216 4, cgHeight 220 4, carDamage 224 20, numberOfTyresOut 244 4,
        pitLimiterOn 248 4, abs 252 4, kersCharge 256 4, kersInput 260 4, autoShifterOn 264 4, rideHeight 268 8,
        turboBoost 276 4, ballast 280 4, airDensity 284 4, airTemp 288 4, roadTemp 292 4, localAngularVel 296 12,
        finalFF 308 4, performanceMeter 312 4, engineBrake 316 4, ersRecoveryLevel 320 4, ersPowerLevel 324 4,
        ersHeatCharging 328 4, ersIsCharging 332 4, kersCurrentKJ 336 4, drsAvailable 340 4, drsEnabled 344 4,
        brakeTemp 348 16, clutch 364 4, tyreTempI 368 16, tyreTempM 384 16, tyreTempO 400 16, isAIControlled 416 4,
        tyreContactPoint 420 48, tyreContactNormal 468 48, tyreContactHeading 516 48, brakeBias 564 4, localVelocity
        568 12
    """,
    "GRAPHICS": """
        packetId 0 4, status 4 4, session 8 4, currentTime 12 30, lastTime 42 30, bestTime 72 30, split 102 30,
        completedLaps 132 4, position 136 4, iCurrentTime 140 4, iLastTime 144 4, iBestTime 148 4, sessionTimeLeft 152
        4, distanceTraveled 156 4, isInPit 160 4, currentSectorIndex 164 4, lastSectorTime 168 4, numberOfLaps 172 4,
        tyreCompound 176 66, replayTimeMultiplier 244 4, normalizedCarPosition 248 4, carCoordinates 252 12,
        penaltyTime 264 4, flag 268 4, idealLineOn 272 4, isInPitLane 276 4, surfaceGrip 280 4, mandatoryPitDone 284
        4, windSpeed 288 4, windDirection 292 4
    """,
    "STATIC": """
        smVersion 0 30, acVersion 30 30, numberOfSessions 60 4, numCars 64 4, carModel 68 66, track 134 66, playerName
        200 66, playerSurname 266 66, playerNick 332 66, sectorCount 400 4, maxTorque 404 4, maxPower 408 4, maxRpm
        412 4, maxFuel 416 4, suspensionMaxTravel 420 16, tyreRadius 436 16, maxTurboBoost 452 4, deprecated_1 456 4,
        deprecated_2 460 4, penaltiesEnabled 464 4, aidFuelRate 468 4, aidTireRate 472 4, aidMechanicalDamage 476 4,
        aidAllowTyreBlankets 480 4, aidStability 484 4, aidAutoClutch 488 4, aidAutoBlip 492 4, hasDRS 496 4, hasERS
        500 4, hasKERS 504 4, kersMaxJ 508 4, engineBrakeSettingsCount 512 4, ersPowerControllerCount 516 4,
        trackSPlineLength 520 4, trackConfiguration 524 66, ersMaxJ 592 4, isTimedRace 596 4, hasExtraLap 600 4,
        carSkin 604 66, reversedGridPositions 672 4, pitWindowStart 676 4, pitWindowEnd 680 4
    """,
    "RT_HANDSHAKER": """
        identifier 0 4, version 4 4, operationId 8 4
    """,
    "RT_RESPONSE": """
        carName 0 100, driverName 100 100, identifier 200 4, version 204 4, trackName 208 100, trackConfig 308 100
    """,
    "RT_CAR_INFO": """
        identifier 0 2, size 4 4, speed_Kmh 8 4, speed_Mph 12 4, speed_Ms 16 4, isAbsEnabled 20 1, isAbsInAction 21 1,
        isTcInAction 22 1, isTcEnabled 23 1, isInPit 24 1, isEngineLimiterOn 25 1, accG_vertical 28 4, accG_horizontal
        32 4, accG_frontal 36 4, lapTime 40 4, lastLap 44 4, bestLap 48 4, lapCount 52 4, gas 56 4, brake 60 4, clutch
        64 4, engineRPM 68 4, steer 72 4, gear 76 4, cgHeight 80 4, wheelAngularSpeed 84 16, slipAngle 100 16,
        slipAngle_ContactPatch 116 16, slipRatio 132 16, tyreSlip 148 16, ndSlip 164 16, load 180 16, Dy 196 16, Mz
        212 16, tyreDirtyLevel 228 16, camberRAD 244 16, tyreRadius 260 16, tyreLoadedRadius 276 16, suspensionHeight
        292 16, carPositionNormalized 308 4, carSlope 312 4, carCoordinates 316 12
    """,
    "RT_LAP": """
        carIdentifierNumber 0 4, lap 4 4, driverName 8 100, carName 108 100, time 208 4
    """,
    "CAR_CONTROLS": """
        gas 0 4, brake 4 4, clutch 8 4, steer 12 4, handbrake 16 4, gear_up 20 1, gear_dn 21 1, drs 22 1, kers 23 1,
        brake_balance_up 24 1, brake_balance_dn 25 1, abs_up 26 1, abs_dn 27 1, tc_up 28 1, tc_dn 29 1, turbo_up 30 1,
        turbo_dn 31 1, engine_brake_up 32 1, engine_brake_dn 33 1, mguk_delivery_up 34 1, mguk_delivery_dn 35 1,
        mguk_recovery_up 36 1, mguk_recovery_dn 37 1, mguh_mode 38 1, headlights 39 1, teleport_to 40 1,
        autoclutch_on_start 41 1, autoclutch_on_change 42 1, autoblip_active 43 1, teleport_pos 44 12, teleport_dir 56
        12, autoshift_active 68 1
    """,
    "CAR": """
        packet_id 0 4, gas 4 4, brake 8 4, clutch 12 4, steer 16 4, handbrake 20 4, fuel 24 4, gear 28 4, rpm 32 4,
        speed_kmh 36 4, velocity 40 12, acc_g 52 12, look 64 12, up 76 12, position 88 12, local_velocity 100 12,
        local_angular_velocity 112 12, cg_height 124 4, damage 128 20, wheels 148 480, turbo 628 4, final_ff 632 4,
        pure_ff 636 4, pit_limiter 640 1, abs_in_action 641 1, tc_in_action 642 1, lap_time_ms 644 4, best_lap_time_ms
        648 4, drivetrain_torque 652 4, spline_position 656 4, collision_depth 660 4, collision_counter 664 4,
        wheels_valid_surface 668 1
    """,
    "WHEEL": """
        position 0 12, contact_point 12 12, contact_normal 24 12, look 36 12, side 48 12, velocity 60 12, slip_ratio
        72 4, load 76 4, pressure 80 4, angular_velocity 84 4, wear 88 4, dirty_level 92 4, core_temp 96 4, camber 100
        4, disc_temp 104 4, slip 108 4, slip_angle_deg 112 4, nd_slip 116 4
    """,
    "CAR_PUBLIC": """
        packet_id 0 4, steer 4 4, rpm 8 4, spline_position 12 4, speed_kmh 16 4, velocity 20 12, acc_g 32 12, look 44
        12, up 56 12, position 68 12, damage 80 20, is_braking 100 1
    """,
    "SIM_STATE": """
        pause 0 1, restart_session 1 1, disable_collisions 2 1, extra_sleep_ms 3 1, time_scale 4 4
    """,
}


def fields(record: str) -> dict[str, tuple[int, int]]:
    """Offset and size of each field."""
    rows = (row.split() for row in " ".join(_TABLES[record].split()).split(", "))
    return {name: (int(offset), int(size)) for name, offset, size in rows}
