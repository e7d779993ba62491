from busybox
  env   A=1    B=2
run    echo   "x  y"   >/f
	CoPy   a.txt    /c
workdir   /w  
