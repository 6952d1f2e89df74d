import Matter
