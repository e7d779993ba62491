FROM busybox
ENV A=plain B="double quoted" C='single $A' D=a\ b E="in \"quotes\"" F='it'"s"
ENV G="back\\slash" H=\$A I="\$A" J=x\\y K="" L= M=a=b=c
ENV N="tab	inside" O=a"b c"d'e f'
